import { createSignal, type Accessor } from "solid-js";
import { createStore } from "solid-js/store";

import { toUiError } from "../api/errors.ts";

type Values = Record<string, string | boolean>;
type Errors<V> = Partial<Record<keyof V, string>>;

export interface Form<V extends Values> {
  readonly values: V;
  readonly submitting: Accessor<boolean>;
  /** What concerns no single field. */
  readonly formError: Accessor<string | undefined>;
  error(field: keyof V): string | undefined;
  set<K extends keyof V>(field: K, value: V[K]): void;
  readonly onSubmit: (event: SubmitEvent) => void;
}

/** A form whose fields show the server's violations under themselves. */
export function createForm<V extends Values>(options: {
  readonly initial: V;
  /** Request fields, as violations name them, by form field. */
  readonly wire: Partial<Record<keyof V, string>>;
  readonly validate?: (values: V) => Errors<V>;
  readonly submit: (values: V) => Promise<void>;
}): Form<V> {
  const [store, setStore] = createStore<Values>({ ...options.initial });
  // The store was made from a V, and every write goes through `set`.
  const values = store as V;
  const [errors, setErrors] = createSignal<Errors<V>>({});
  const [formError, setFormError] = createSignal<string>();
  const [submitting, setSubmitting] = createSignal(false);

  const submit = async (element: HTMLFormElement | undefined): Promise<void> => {
    if (submitting()) return;
    setFormError(undefined);
    const found = options.validate?.({ ...values }) ?? {};
    setErrors(() => found);
    if (Object.keys(found).length === 0) {
      setSubmitting(true);
      try {
        await options.submit({ ...values });
        return;
      } catch (thrown) {
        const error = toUiError(thrown);
        const named: Errors<V> = {};
        for (const [field, wire] of Object.entries(options.wire)) {
          const violation = error.violations.find((candidate) => candidate.field === wire);
          if (violation) named[field as keyof V] = violation.message;
        }
        setErrors(() => named);
        if (Object.keys(named).length === 0) setFormError(error.message);
      } finally {
        setSubmitting(false);
      }
    }
    element?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  };

  return {
    values,
    submitting,
    formError,
    error: (field) => errors()[field],
    set(field, value) {
      setStore(String(field), value);
      setErrors((old) => ({ ...old, [field]: undefined }));
    },
    onSubmit(event) {
      event.preventDefault();
      void submit(event.currentTarget instanceof HTMLFormElement ? event.currentTarget : undefined);
    },
  };
}
