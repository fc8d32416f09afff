import type { Value } from "../event.ts";

export type Request =
  | {
      readonly id: number;
      readonly kind: "check";
      readonly source: string;
      readonly condition: boolean;
    }
  | {
      readonly id: number;
      readonly kind: "run";
      readonly source: string;
      readonly targets: readonly Value[];
    };

/** What a program did with one target. */
export type Outcome =
  | { readonly kind: "done"; readonly target: Value; readonly result: Value }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "abort"; readonly message: string };

export type Response =
  /** The report is empty when the program compiles. */
  | { readonly id: number; readonly kind: "checked"; readonly report: string }
  | { readonly id: number; readonly kind: "ran"; readonly outcomes: readonly Outcome[] }
  | { readonly id: number; readonly kind: "broken"; readonly message: string };
