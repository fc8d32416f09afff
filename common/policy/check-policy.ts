import { targetsOf, holdsReference, hostTarget, laterText } from "./addresses.ts";
import {
  defaultListen,
  defaultSocket,
  impliedReads,
  namesOf,
  networkUse,
  programTypes,
  type ComponentKind,
} from "./component-facts.ts";
import { roleOf, type Role } from "./option-roles.ts";
import type { HostFiles } from "./paths.ts";
import { globToRegExp } from "./patterns.ts";
import { PlaceRules, type PolicyProblem } from "./place-rules.ts";
import { isTypePattern, type HostPolicy } from "./policy.ts";
import { calledFunctions, fileFunctions, networkFunctions } from "./vrl-calls.ts";

const sections: readonly (readonly [string, ComponentKind])[] = [
  ["sources", "source"],
  ["transforms", "transform"],
  ["sinks", "sink"],
  ["enrichment_tables", "enrichment_table"],
  ["secret", "secret"],
];

const maximumProblems = 50;
const maximumDepth = 64;
const maximumValues = 200_000;

/**
 * Finds everything in a configuration that a policy does not allow. Pure: with `files`, paths are also judged
 * by what is on the host. What cannot be judged is refused.
 */
export function checkPolicy(
  policy: HostPolicy,
  config: unknown,
  files: HostFiles = {},
): readonly PolicyProblem[] {
  const check = new PolicyCheck(policy, files);
  check.config(recordOf(config));
  return check.problems;
}

type Json = Readonly<Record<string, unknown>>;

function recordOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

interface Component {
  readonly kind: ComponentKind;
  readonly type: string;
  readonly id: string;
  readonly isKnown: boolean;
  /** The port that an option of its own names for all its hosts. */
  readonly port: number | undefined;
  destinations: number;
  listeners: number;
  sockets: number;
}

class PolicyCheck {
  readonly problems: PolicyProblem[] = [];
  readonly #policy: HostPolicy;
  readonly #places: PlaceRules;
  readonly #deniedCalls: ReadonlySet<string>;
  #values = 0;

  constructor(policy: HostPolicy, files: HostFiles) {
    this.#policy = policy;
    this.#places = new PlaceRules(policy, files, (...problem) => this.#refuse(...problem));
    this.#deniedCalls = new Set([
      ...policy.vrl.deny,
      ...(policy.files.read === undefined ? [] : fileFunctions),
      ...(this.#places.limitsDestinations ? networkFunctions : []),
    ]).difference(new Set(policy.vrl.allow));
  }

  config(config: Json): void {
    if (config["provider"] !== undefined) {
      this.#refuse(
        "provider",
        "",
        "provider",
        "a configuration that Vector would fetch itself cannot be judged",
      );
    }
    const proxy = {
      kind: "sink",
      type: "",
      id: "",
      isKnown: true,
      port: undefined,
      destinations: 0,
      listeners: 0,
      sockets: 0,
    } as const;
    this.#walk({ ...proxy }, config["proxy"], ["proxy"], "proxy", 0);
    for (const [section, kind] of sections) {
      for (const [id, value] of Object.entries(recordOf(config[section]))) {
        this.#component(kind, id, recordOf(value));
      }
    }
  }

  #refuse(rule: string, componentId: string, field: string, message: string): void {
    if (this.problems.length >= maximumProblems) return;
    this.problems.push({ rule, componentId, field, message: message.slice(0, 500) });
  }

  #component(kind: ComponentKind, id: string, value: Json): void {
    const type = value["type"];
    if (typeof type !== "string" || holdsReference(type)) {
      this.#refuse(
        "components",
        id,
        "type",
        "its type is not written out, so that it cannot be judged",
      );
      return;
    }
    const use = networkUse(kind, type);
    const component: Component = {
      kind,
      type,
      id,
      isKnown: use !== undefined,
      port: type === "mqtt" ? Number(value["port"] ?? 1883) : undefined,
      destinations: 0,
      listeners: 0,
      sockets: 0,
    };
    this.#typeOf(component);
    this.#walk(component, value, [], "", 0);
    this.#implied(component, value);
    // An enrichment table of the kind memory and others connect to nothing.
    if (use === "connects" && component.destinations + component.sockets === 0)
      this.#provider(component);
  }

  #typeOf({ kind, type, id, isKnown }: Component): void {
    const { components, programs } = this.#policy;
    const names = namesOf(kind, type);
    const matches = (entry: string): boolean =>
      names.some((name) => globToRegExp(entry.includes("/") ? entry : `*/${entry}`).test(name));
    const denied = components.deny.find(matches);
    if (denied !== undefined) {
      this.#refuse("components.deny", id, "type", `${kind}/${type} is denied by ${denied}`);
      return;
    }
    if (programs === "deny" && programTypes.has(`${kind}/${type}`)) {
      this.#refuse(
        "programs",
        id,
        "type",
        `${kind}/${type} runs code that comes with the configuration`,
      );
      return;
    }
    const allowed = components.allow?.find(matches);
    if (components.allow !== undefined && allowed === undefined) {
      this.#refuse(
        "components.allow",
        id,
        "type",
        `${kind}/${type} is not among the allowed components`,
      );
    } else if (!isKnown && (allowed === undefined || allowed.includes("*"))) {
      this.#refuse(
        "components.allow",
        id,
        "type",
        `${kind}/${type} is no component that this agent knows, so that it cannot be judged; name it there to allow it`,
      );
    }
  }

  /** What a component does without being told. */
  #implied(component: Component, value: Json): void {
    const { kind, type, id } = component;
    const name = `${kind}/${type}`;
    const listen = defaultListen.get(name);
    if (listen !== undefined && component.listeners === 0)
      this.#places.listener(id, "address", listen);
    const socket = defaultSocket.get(name);
    if (socket !== undefined && component.destinations + component.sockets === 0) {
      component.sockets += 1;
      this.#places.path("write", id, "docker_host", socket);
    }
    const read = impliedReads.get(name);
    if (read !== undefined && value[read.unless] === undefined)
      this.#places.path("read", id, "type", read.path);
  }

  /** Addresses that are the provider's own, and that no option names. */
  #provider({ kind, type, id }: Component): void {
    const { allow } = this.#policy.destinations;
    if (allow === undefined) return;
    const names = namesOf(kind, type);
    const isAllowed = allow
      .filter((entry) => entry === "*" || isTypePattern(entry))
      .some((entry) => entry === "*" || names.some((name) => globToRegExp(entry).test(name)));
    if (isAllowed) return;
    this.#refuse(
      "destinations.allow",
      id,
      "type",
      `it connects to its provider's own addresses, which ${kind}/${type} in the list would allow`,
    );
  }

  /** Goes through every text below a component. Options may nest without end only in hostile texts. */
  #walk(
    component: Component,
    value: unknown,
    path: readonly string[],
    field: string,
    depth: number,
  ): void {
    this.#values += 1;
    if (depth > maximumDepth || this.#values > maximumValues) {
      if (this.#values <= maximumValues + 1 || depth > maximumDepth) {
        this.#refuse(
          "components",
          component.id,
          field,
          "it is nested too deeply or too large to be judged",
        );
      }
      return;
    }
    if (Array.isArray(value)) {
      value.forEach((item: unknown, index) =>
        this.#walk(component, item, path, `${field}.${index}`, depth + 1),
      );
    } else if (typeof value === "object" && value !== null) {
      for (const [key, child] of Object.entries(value)) {
        if (field === "" && (key === "type" || key === "inputs")) continue;
        this.#walk(
          component,
          child,
          [...path, key],
          field === "" ? key : `${field}.${key}`,
          depth + 1,
        );
      }
      const { type, value: program } = value as Json;
      if (type === "vrl") this.#vrl(component.id, field, program);
    } else if (["string", "number", "bigint"].includes(typeof value)) {
      const role = roleOf(component.kind, component.type, path, component.isKnown);
      if (role !== undefined)
        this.#judge(component, role, field, `${value as string | number | bigint}`);
    }
  }

  #judge(component: Component, role: Role, field: string, text: string): void {
    const { id } = component;
    switch (role) {
      case "read":
      case "write":
        this.#places.path(role, id, field, text);
        this.#unreadProgram(component, field);
        break;
      case "socket":
        component.sockets += 1;
        this.#places.path("write", id, field, text);
        break;
      case "listen":
        component.listeners += 1;
        this.#places.listener(id, field, text);
        break;
      case "destination":
        component.destinations += 1;
        for (const target of targetsOf(text)) {
          const isOpen = target.kind === "host" && target.port === undefined;
          this.#places.target(id, field, isOpen ? { ...target, port: component.port } : target);
        }
        break;
      case "site":
        component.destinations += 1;
        if (holdsReference(text))
          this.#places.target(id, field, { kind: "unclear", why: laterText });
        else this.#places.target(id, field, hostTarget(`intake.${text}`, 443));
        break;
      case "program":
        if (this.#policy.programs === "deny") {
          this.#refuse("programs", id, field, "it chooses what is run on this host");
        }
        break;
      case "vrl":
        this.#vrl(id, field, text);
        break;
    }
  }

  /** A program in a file cannot be searched for functions: the file may be another by then. */
  #unreadProgram({ kind, type, id }: Component, field: string): void {
    if (kind !== "transform" || type !== "remap" || this.#deniedCalls.size === 0) return;
    this.#refuse(
      "vrl.deny",
      id,
      field,
      "a program in a file cannot be judged; write it into the configuration",
    );
  }

  #vrl(id: string, field: string, program: unknown): void {
    if (typeof program !== "string" || this.#deniedCalls.size === 0) return;
    if (/\$\{[\w.]+:?-|SECRET\[/.test(program)) {
      this.#refuse("vrl.deny", id, field, `the program ${laterText}`);
    }
    for (const name of calledFunctions(program)) {
      if (!this.#deniedCalls.has(name)) continue;
      this.#refuse("vrl.deny", id, field, `the function ${name} is not allowed`);
    }
  }
}
