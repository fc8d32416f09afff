import { listenAddress, type Target } from "./addresses.ts";
import { comesAlong, outside, type HostFiles } from "./paths.ts";
import { parseHostPattern, type HostPattern } from "./patterns.ts";
import { isTypePattern, type HostPolicy } from "./policy.ts";

/** A place where a configuration breaks a policy. */
export interface PolicyProblem {
  /** The key of the policy that is broken. */
  readonly rule: string;
  /** Empty when the whole configuration is meant. */
  readonly componentId: string;
  /** Dotted path below the component. */
  readonly field: string;
  readonly message: string;
}

type Refuse = (rule: string, componentId: string, field: string, message: string) => void;

/** The rules about places: files, addresses to listen on, and hosts to connect to. */
export class PlaceRules {
  readonly #policy: HostPolicy;
  readonly #files: HostFiles;
  readonly #refuse: Refuse;
  readonly #destinations: readonly HostPattern[] | undefined;
  readonly #deniedDestinations: readonly HostPattern[];
  readonly #listen: readonly HostPattern[] | undefined;

  constructor(policy: HostPolicy, files: HostFiles, refuse: Refuse) {
    this.#policy = policy;
    this.#files = files;
    this.#refuse = refuse;
    const { allow, deny } = policy.destinations;
    this.#destinations = allow && patterns(allow.filter((entry) => !isTypePattern(entry)));
    this.#deniedDestinations = patterns(deny);
    this.#listen = policy.listen.allow && patterns(policy.listen.allow);
  }

  get limitsDestinations(): boolean {
    return this.#destinations !== undefined || this.#deniedDestinations.length > 0;
  }

  path(access: "read" | "write", id: string, field: string, text: string): void {
    const roots = this.#policy.files[access];
    if (roots === undefined || (access === "read" && comesAlong(text, this.#files))) return;
    const why = outside(text, roots, this.#files);
    if (why === undefined) return;
    this.#refuse(`files.${access}`, id, field, `${quoted(text)} ${why}`);
  }

  listener(id: string, field: string, text: string): void {
    const { allow } = this.#policy.listen;
    if (allow === undefined || (/^systemd(#\d+)?$/.test(text) && allow.includes("systemd"))) return;
    const address = listenAddress(text);
    if (typeof address === "string") {
      this.#refuse(
        "listen.allow",
        id,
        field,
        `${quoted(text)} ${address}, so that it cannot be judged`,
      );
    } else if (!this.#listen?.some((matches) => matches(address))) {
      this.#refuse("listen.allow", id, field, `${quoted(text)} is not among ${allow.join(", ")}`);
    }
  }

  target(id: string, field: string, target: Target): void {
    if (target.kind === "socket") return this.path("write", id, field, target.path);
    if (target.kind === "file") return this.path("read", id, field, target.path);
    if (!this.limitsDestinations) return undefined;
    if (target.kind === "unclear") {
      this.#refuse(
        "destinations.allow",
        id,
        field,
        `the address ${target.why}, so that it cannot be judged`,
      );
      return undefined;
    }
    const name = target.port === undefined ? target.host : `${target.host}:${target.port}`;
    if (this.#deniedDestinations.some((matches) => matches(target))) {
      this.#refuse("destinations.deny", id, field, `${name} is denied`);
    } else if (this.#destinations?.some((matches) => matches(target)) === false) {
      this.#refuse(
        "destinations.allow",
        id,
        field,
        `${name} is not among the allowed destinations`,
      );
    }
    return undefined;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function patterns(entries: readonly string[]): readonly HostPattern[] {
  return entries.flatMap((entry) => {
    const pattern = parseHostPattern(entry);
    return typeof pattern === "string" ? [] : [pattern];
  });
}
