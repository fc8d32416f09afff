import { statSync } from "node:fs";
import { hostname } from "node:os";
import { BuildError, type BuildContext, type Built, type ComponentLog } from "./component.ts";
import { builderOf } from "./components/registry.ts";
import { at, type Component } from "./config.ts";
import type { Faults } from "./faults.ts";
import type { Log, Span } from "./log.ts";
import { Meter, type Registry } from "./metrics.ts";
import type { Vrl } from "./vrl/engine.ts";

/** What all components are built with. */
export interface BuildDeps {
  readonly log: Log;
  readonly registry: Registry;
  readonly vrl: Vrl;
  readonly faults: Faults;
}

/** A component that was built and does not run yet. */
export interface Piece {
  readonly component: Component;
  readonly built: Built;
  readonly meter: Meter;
  readonly span: Span;
}

/** Builds the components; the errors are in Vector's words. Starts nothing. */
export async function buildPieces(
  components: readonly Component[],
  dataDir: string,
  deps: BuildDeps,
): Promise<{ readonly pieces: readonly Piece[]; readonly errors: readonly string[] }> {
  const pieces: Piece[] = [];
  const errors: string[] = [];
  for (const component of components) {
    const span: Span = { id: component.id, kind: component.kind, type: component.type };
    const meter = new Meter(deps.registry, span);
    try {
      const build = await builderOf(component.kind, component.type);
      const built = await build(contextOf(component, span, meter, dataDir, deps));
      pieces.push({ component, built, meter, span });
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      const title = component.kind.charAt(0).toUpperCase() + component.kind.slice(1);
      errors.push(`${title} "${component.id}": ${error.message}`);
    }
  }
  return { pieces, errors };
}

function contextOf(
  component: Component,
  span: Span,
  meter: Meter,
  dataDir: string,
  { log, registry, vrl, faults }: BuildDeps,
): BuildContext {
  const bound: ComponentLog = {
    info: (target, message, fields) => log.info(target, message, fields, span),
    warn: (target, message, fields) => log.warn(target, message, fields, span),
    error: (target, message, fields) => log.error(target, message, fields, span),
  };
  const origin = { sourceId: component.id, sourceType: component.type };
  const host = process.env["VECTOR_HOSTNAME"] ?? hostname();
  return { component, origin, log: bound, meter, registry, dataDir, hostname: host, vrl, faults };
}

/** What is wrong with the data_dir; asked by what writes there. */
export function checkDataDir(dataDir: string): string | undefined {
  return statSync(dataDir, { throwIfNoEntry: false }) === undefined
    ? `data_dir ${JSON.stringify(dataDir)} does not exist`
    : undefined;
}

/** Whether a sink's health is checked. */
export function wantsHealthcheck(component: Component): boolean {
  const healthcheck = at(component.options, "healthcheck");
  return healthcheck !== false && at(healthcheck, "enabled") !== false;
}
