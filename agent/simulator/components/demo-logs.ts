import { setTimeout as delay } from "node:timers/promises";
import { decoderOf } from "../codec.ts";
import { BuildError, type BuildContext, type Source } from "../component.ts";
import { bool, number, strings, text } from "../config.ts";
import type { EventFields, SimEvent } from "../event.ts";

const users = [
  "log_whisperer",
  "cache_cowboy",
  "yaml_yoda",
  "regex_rider",
  "semver_sage",
  "pixel_pilgrim",
];
const hosts = [
  "acme.com",
  "contoso.org",
  "widgets.io",
  "example.net",
  "placeholder.dev",
  "sample.biz",
];
const levels = ["alert", "crit", "debug", "emerg", "error", "info", "notice", "warn"];
const codes = [200, 300, 301, 302, 304, 307, 400, 401, 403, 404, 410, 500, 501, 503, 550];
const versions = ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0"];
const methods = ["DELETE", "GET", "HEAD", "OPTION", "PATCH", "POST", "PUT"];
const endpoints = [
  "/wp-admin",
  "/controller/setup",
  "/apps/deploy",
  "/observability/metrics/production",
  "/secret-info/open-sesame",
];
const apps = ["auth", "data", "deploy", "etl", "scraper", "cron", "ingress", "egress"];
const messages = [
  "There's a breach in the warp core, captain",
  "You're not gonna believe what just happened",
  "Take a breath, let it go, walk away",
  "We're gonna need a bigger boat",
  "Pretty pretty pretty good",
];

const between = (low: number, high: number): number =>
  low + Math.floor(Math.random() * (high - low));
const any = <T>(items: readonly T[]): T => items[between(0, items.length)] as T;
const address = (): string => [0, 0, 0, 0].map(() => between(1, 255)).join(".");
const two = (value: number): string => String(value).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

function stamps(): {
  clf: string;
  time: string;
  month: string;
  day: string;
  iso: string;
  date: Date;
} {
  const date = new Date();
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const month = any([months[date.getMonth()] ?? ""]);
  const clf = `${two(date.getDate())}/${month}/${date.getFullYear()}:${time}`;
  return { clf, time, month, day: days[date.getDay()] ?? "", iso: date.toISOString(), date };
}

const generators: Readonly<Record<string, () => string>> = {
  json: () =>
    JSON.stringify({
      host: address(),
      "user-identifier": any(users),
      datetime: stamps().clf,
      method: any(methods),
      request: any(endpoints),
      protocol: any(versions),
      status: String(any(codes)),
      bytes: between(1000, 50_000),
      referer: `https://${any(hosts)}${any(endpoints)}`,
    }),
  apache_common: () =>
    `${address()} - ${any(users)} [${stamps().clf} +0000] "${any(methods)} ${any(endpoints)} ${any(versions)}" ${any(codes)} ${between(50, 50_000)}`,
  apache_error: () => {
    const { day, month, time, date } = stamps();
    const when = `${day} ${month} ${two(date.getDate())} ${time} ${date.getFullYear()}`;
    return `[${when}] [${any(users)}:${any(levels)}] [pid ${between(1, 9999)}:tid] [client ${address()}:${between(1024, 65_535)}] ${any(messages)}`;
  },
  syslog: () =>
    `<${between(0, 191)}>${between(1, 3)} ${stamps().iso} ${any(hosts)} ${any(users)} ${between(100, 9999)} ID${between(1, 999)} - ${any(messages)}`,
  bsd_syslog: () => {
    const { month, time, date } = stamps();
    return `<${between(0, 191)}>${month} ${two(date.getDate())} ${time} ${any(hosts)} ${any(apps)}[${between(1, 9999)}]: ${any(messages)}`;
  },
};
const aliases: Readonly<Record<string, string>> = { rfc5424: "syslog", rfc3164: "bsd_syslog" };

/** Timers are not finer than this; faster intervals give several lines at once. */
const tickMs = 10;

export function demoLogs({ component, origin, meter }: BuildContext): Source {
  const { options } = component;
  const format = text(options, "format") ?? "json";
  const lines = strings(options, "lines");
  if (format === "shuffle" && lines.length === 0) {
    throw new BuildError("A non-empty list of lines is required for the shuffle format");
  }
  const sequence = bool(options, "sequence", false);
  const generate = generators[aliases[format] ?? format];
  const lineOf = (n: number): string => {
    if (generate !== undefined) return generate();
    return sequence ? `${n} ${any(lines)}` : any(lines);
  };
  const intervalMs = number(options, "interval", 1) * 1000;
  const count = number(options, "count", Number.MAX_SAFE_INTEGER);
  const decode = decoderOf(options);
  const eventsOf = (n: number): readonly SimEvent[] => {
    const common: EventFields = { source_type: "demo_logs", timestamp: new Date() };
    return decode(lineOf(n)).map((fields) => ({
      kind: "log",
      fields: { service: "vector", host: "localhost", ...fields, ...common },
      origin,
    }));
  };
  return {
    kind: "source",
    async run(send, signal) {
      meter.receivedBytes("none", 0);
      const start = performance.now();
      for (let n = 0; n < count && !signal.aborted;) {
        const due =
          intervalMs === 0 ? n + 100 : Math.floor((performance.now() - start) / intervalMs) + 1;
        const upTo = Math.min(count, due, n + 1000);
        const events: SimEvent[] = [];
        for (; n < upTo; n += 1) events.push(...eventsOf(n));
        if (events.length > 0) {
          meter.received(events);
          await send(events);
        }
        if (n >= count) return;
        const wait =
          intervalMs === 0 ? 0 : Math.max(tickMs, start + n * intervalMs - performance.now());
        // An abort ends the pause and with it the loop.
        await delay(wait, undefined, { signal }).catch(() => {});
      }
    },
  };
}
