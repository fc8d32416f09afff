import type { VrlKind } from "#vrl/vrl.ts";
import type { GraphComponent, PipelineGraph } from "../graph.ts";
import { anyObject, eitherOf, membersOf, objectOf, orAbsent, text } from "./kinds.ts";
import { droppedKind, metricKind, sourceKind } from "./source-kinds.ts";
import type { Wiring } from "../wiring.ts";

/** What is known of events: what they are for certain, and what they are when programs succeed. */
export interface EventKind {
  readonly sure: VrlKind;
  readonly likely: VrlKind;
}

const unknownEvents: EventKind = { sure: anyObject, likely: anyObject };

/** Of more fields than these nothing is known: what goes along a long chain must not grow with it. */
const maximumKnown = 200;

/** Stands for all members that a program does not touch. No event has a field of this name. */
const rest = "__vectorflow_rest";

/**
 * An event of which Vector knows nothing, marked so that the kind after a program tells what the program left alone:
 * each field that the program may write is any value still, and can be told from what the program writes there. Every
 * mark is copied with each expression that is compiled: what is only read has none, unless the event as a whole goes
 * into a new one.
 */
export function markedEvent({ likely }: EventKind, program: string): VrlKind {
  const known = membersOf(likely)?.known ?? {};
  const written = writtenFields(program);
  const isInNew = readsWhole(program);
  const fields = Object.keys(known)
    .filter((name) => written.has(name) || (isInNew && program.includes(name)))
    .map((name): [string, VrlKind] => [name, anyMarked]);
  return objectOf({ [rest]: text, ...Object.fromEntries(fields) });
}

/** The same where Vector's schemas are on: it knows what is certain, so that nothing stands for that. */
export function typedEvent(event: EventKind, program: string): VrlKind {
  const certain = membersOf(event.sure);
  if (certain === undefined) return event.sure;
  const known = {
    ...membersOf(markedEvent(event, program))?.known,
    ...Object.fromEntries(Object.entries(certain.known).filter(([, kind]) => kind !== "any")),
  };
  return { types: [], object: { ...certain, known } };
}

const anyMarked: VrlKind = {
  types: ["boolean", "bytes", "float", "integer", "null", "regex", "timestamp", "undefined"],
  object: { known: { [rest]: text }, unknown: "any" },
  array: { known: {}, unknown: "any" },
};

/** What events are after a program. `after` is the kind that its compilation gave for a marked event. */
export function afterProgram(
  before: EventKind,
  after: VrlKind | undefined,
  component: GraphComponent,
): EventKind {
  const { source } = component.config;
  const program = typeof source === "string" ? source : "";
  const members = membersOf(after);
  if (members === undefined) return unknownEvents;
  const likely = applied(membersOf(before.likely), members, program, () => true);
  const succeeded = isPlain(program)
    ? applied(membersOf(before.sure), members, program, (name) => !writtenFields(program).has(name))
    : anyObject;
  // An event that a program fails on goes on as it was, unless it is dropped.
  const { drop_on_error: dropsErrors, drop_on_abort: dropsAborts } = component.config;
  const fails =
    (dropsErrors !== true && /!\s*\(/.test(program)) ||
    (dropsAborts === false && /\babort\b/.test(program));
  return { likely, sure: fails ? eitherOf(succeeded, before.sure, false) : succeeded };
}

/** Whether a program reads the event as a whole, as `merge(., x)` and `. |= x` do, and `. = x` does not. */
function readsWhole(program: string): boolean {
  return program
    .matchAll(/(?:^|[\s,;:(={[])\.(?=[\s,)|\]}]|$)(\s*=(?!=))?/gm)
    .some(([, assigned]) => assigned === undefined);
}

/** Whether kinds tell all that a program does: they do not for closures, and hardly for whole events. */
function isPlain(program: string): boolean {
  return !program.includes("->") && !/(?:^|[\s;{(])\.\s*(?:,\s*\w+\s*)?\|?=[^=]/m.test(program);
}

// Each begins with its dot, which a matcher finds fast: a program has few.
const paths = /\.\s*(?:"((?:[^"\\]|\\.)*)"|([\w@]+))[\w.@[\]"-]*\s*(,|\|=|\?\?=|=(?!=))?/g;
const writtenBy = new Map<string, ReadonlySet<string>>();

/**
 * The fields that a program may write, or below which it may: kinds do not tell of what is written only under a
 * condition. The last programs are remembered: each is asked about several times.
 */
function writtenFields(program: string): ReadonlySet<string> {
  let names = writtenBy.get(program);
  if (names === undefined) {
    const found = new Set<string>();
    for (const { index, 1: quoted, 2: plain = "", 3: assigned } of program.matchAll(paths)) {
      if (assigned === undefined && !isDeleted(program, index)) continue;
      found.add(quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, "$1"));
    }
    names = found;
    if (writtenBy.size >= 500) writtenBy.clear();
    writtenBy.set(program, names);
  }
  return names;
}

function isDeleted(program: string, at: number): boolean {
  return /\bdel\s*\(\s*$/.test(program.slice(Math.max(0, at - 40), at));
}

type Members = NonNullable<ReturnType<typeof membersOf>>;

function isText(kind: VrlKind | undefined): boolean {
  return typeof kind === "object" && kind.types.join() === "bytes" && kind.object === undefined;
}

/** `keeps` says of a field that the kinds take for untouched whether to believe them. */
function applied(
  before: Members | undefined,
  after: Members,
  program: string,
  keeps: (name: string) => boolean,
): VrlKind {
  // Fields that a program does not write stay, unless it replaces the whole event.
  const stays = isText(after.known[rest]);
  const written = writtenFields(program);
  const known: Record<string, VrlKind> = {};
  for (const [name, kind] of Object.entries(before?.known ?? {})) {
    if (stays && !written.has(name)) known[name] = kind;
  }
  for (const [name, kind] of Object.entries(after.known)) {
    if (name === rest) continue;
    const old = before?.known[name] ?? "any";
    if (!isMarked(kind)) known[name] = withOld(kind, membersOf(old));
    else known[name] = keeps(name) ? old : "any";
  }
  const names = Object.keys(known);
  if (names.length > maximumKnown) {
    // The newest are of the most interest, and what is left out can be anything.
    const kept = names.slice(-maximumKnown).map((name) => [name, known[name] ?? "any"] as const);
    return objectOf(Object.fromEntries(kept));
  }
  return {
    types: [],
    object: { known, ...(after.unknown && { unknown: withoutMarks(after.unknown) }) },
  };
}

/** A kind that a program wrote. Where it wrote into an object, the other members of that object may still be there. */
function withOld(kind: VrlKind, old: Members | undefined): VrlKind {
  const members = membersOf(kind);
  const clean = withoutMarks(kind);
  const own = membersOf(clean);
  if (members?.known[rest] === undefined || old === undefined || own === undefined) return clean;
  const kept = Object.entries(old.known).map(([name, member]) => [name, orAbsent(member)] as const);
  return { types: [], object: { ...own, known: { ...Object.fromEntries(kept), ...own.known } } };
}

function isMarked(kind: VrlKind): boolean {
  return (
    typeof kind === "object" && kind.types.length > 0 && kind.object?.known[rest] !== undefined
  );
}

function withoutMarks(kind: VrlKind): VrlKind {
  if (typeof kind === "string") return kind;
  if (isMarked(kind)) return "any";
  const clean = (members: Members): Members => {
    const known = Object.entries(members.known)
      .filter(([name]) => name !== rest)
      .map(([name, member]) => [name, withoutMarks(member)] as const);
    return {
      known: Object.fromEntries(known),
      ...(members.unknown && { unknown: withoutMarks(members.unknown) }),
    };
  };
  return {
    types: kind.types,
    ...(kind.object && { object: clean(kind.object) }),
    ...(kind.array && { array: clean(kind.array) }),
  };
}

/** Transforms that pass events on as they are. */
const passThrough = new Set([
  "dedupe",
  "delay",
  "exclusive_route",
  "filter",
  "route",
  "throttle",
  "window",
]);

export interface EventFields {
  /** What the events are that reach a component. */
  reaching(component: GraphComponent): EventKind;
  /** What the events of an output are. */
  emitted(id: string): EventKind;
}

/**
 * Follows what is known of events along the edges. Where inputs meet, it is what holds for all of them. `program` gives
 * the kind after a component's program for a marked event; undefined when it does not compile.
 */
export function followEvents(
  graph: PipelineGraph,
  wiring: Wiring,
  program: (component: GraphComponent, before: EventKind) => VrlKind | undefined,
): EventFields {
  const known = new Map<string, EventKind>();
  const reachingKinds = new Map<string, EventKind>();
  const reaching = (component: GraphComponent): EventKind => {
    const before = reachingKinds.get(component.key);
    if (before !== undefined) return before;
    const kinds = wiring.inputs(component).map(emitted);
    const joined =
      kinds.length === 0
        ? unknownEvents
        : kinds.reduce((a, b) => ({
            sure: eitherOf(a.sure, b.sure, false),
            likely: eitherOf(a.likely, b.likely, true),
          }));
    reachingKinds.set(component.key, joined);
    return joined;
  };
  const emitted = (id: string): EventKind => {
    const before = known.get(id);
    if (before !== undefined) return before;
    // Stands while the inputs are followed, and ends a cycle.
    known.set(id, unknownEvents);
    const edge = wiring.edge(id);
    const component = edge && wiring.component(edge.from);
    if (component === undefined) return unknownEvents;
    const types = wiring.emitted(id);
    const kind = !types.includes("log")
      ? { sure: anyObject, likely: types.join() === "metric" ? metricKind : anyObject }
      : outputKind(component, edge?.output ?? null);
    // Other types of events share the output, and nothing is certain of them.
    known.set(id, types.length > 1 ? { ...kind, sure: anyObject } : kind);
    return known.get(id) ?? unknownEvents;
  };
  const outputKind = (component: GraphComponent, output: string | null): EventKind => {
    if (component.kind === "source") {
      const kind = sourceKind(component, graph);
      return { sure: kind, likely: kind };
    }
    if (passThrough.has(component.type)) return reaching(component);
    switch (component.type) {
      case "remap": {
        const before = reaching(component);
        if (output !== "dropped") {
          return afterProgram(before, program(component, before), component);
        }
        return withFields(before, { metadata: droppedKind });
      }
      case "sample": {
        const name = component.config["sample_rate_key"] ?? "sample_rate";
        const before = reaching(component);
        return typeof name === "string" && /^\w+$/.test(name)
          ? withFields(before, { [name]: text })
          : { ...before, sure: anyObject };
      }
      // Values are merged, by strategies of their own.
      case "reduce":
        return { sure: anyObject, likely: namesOnly(reaching(component).likely) };
      case "aws_ec2_metadata":
        return { ...reaching(component), sure: anyObject };
      default:
        return unknownEvents;
    }
  };
  return { reaching, emitted };
}

function withFields(
  { sure, likely }: EventKind,
  fields: Readonly<Record<string, VrlKind>>,
): EventKind {
  const added = (kind: VrlKind): VrlKind => objectOf({ ...membersOf(kind)?.known, ...fields });
  const uncertain = Object.fromEntries(Object.keys(fields).map((name) => [name, "any" as const]));
  return { likely: added(likely), sure: objectOf({ ...membersOf(sure)?.known, ...uncertain }) };
}

function namesOnly(kind: VrlKind): VrlKind {
  const names = Object.keys(membersOf(kind)?.known ?? {});
  return objectOf(Object.fromEntries(names.map((name) => [name, "any" as const])));
}
