import type { Component } from "./config.ts";
import type { Origin, SimEvent } from "./event.ts";
import type { Faults } from "./faults.ts";
import type { Fields } from "./log.ts";
import type { Meter, Registry } from "./metrics.ts";
import type { Vrl } from "./vrl/engine.ts";

/** A config that cannot be built. The message is what Vector would say, without the component. */
export class BuildError extends Error {}

/** The log lines of one component. */
export interface ComponentLog {
  info(target: string, message: string, fields?: Fields): void;
  warn(target: string, message: string, fields?: Fields): void;
  error(target: string, message: string, fields?: Fields): void;
}

/** What a component is built from. */
export interface BuildContext {
  readonly component: Component;
  readonly origin: Origin;
  readonly log: ComponentLog;
  readonly meter: Meter;
  readonly registry: Registry;
  readonly dataDir: string;
  readonly hostname: string;
  readonly vrl: Vrl;
  readonly faults: Faults;
}

/** Sends into the component's own outputs; resolves when all consumers took the events. */
export type Send = (events: readonly SimEvent[], port?: string) => Promise<void>;

/** Ends when it has nothing more to give, or soon after the abort. A rejection kills the process. */
export interface Source {
  readonly kind: "source";
  run(send: Send, signal: AbortSignal): Promise<void>;
}

export interface Transform {
  readonly kind: "transform";
  transform(events: readonly SimEvent[], send: Send): Promise<void>;
}

/** The events for a sink. Undefined: there are no more for this instance. */
export type Take = (max: number) => Promise<readonly SimEvent[] | undefined>;

export interface Sink {
  readonly kind: "sink";
  /** Ends after `take` gave undefined and everything taken was delivered or dropped. */
  run(take: Take): Promise<void>;
  healthcheck?(): Promise<void>;
}

export type Built = Source | Transform | Sink;
export type Builder = (context: BuildContext) => Built | Promise<Built>;
