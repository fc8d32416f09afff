import { createSignal, onCleanup, type Accessor } from "solid-js";
import { unwrap, type Store } from "solid-js/store";

import type { LiveData } from "../api/watch-reducer.ts";
import { RingBuffer } from "../lib/ring-buffer.ts";

/** Two minutes of samples, so that a list shows at once whether numbers move. */
const sampleMs = 2_000;
const samples = 60;

/** The newest outgoing rates of every pipeline, oldest first, gaps as undefined. */
export type RateHistory = (pipelineId: string) => readonly (number | undefined)[];

export function createRateHistory(data: Store<LiveData>, isLive: Accessor<boolean>): RateHistory {
  const buffers = new Map<string, RingBuffer<number | undefined>>();
  const [version, setVersion] = createSignal(0);
  const sample = (): void => {
    const pipelines = unwrap(data.pipelines);
    for (const id of buffers.keys()) if (!(id in pipelines)) buffers.delete(id);
    for (const [id, pipeline] of Object.entries(pipelines)) {
      const buffer = buffers.get(id) ?? new RingBuffer<number | undefined>(samples);
      buffers.set(id, buffer);
      buffer.push(isLive() ? pipeline.rates?.eventsOut : undefined);
    }
    setVersion((count) => count + 1);
  };
  const timer = setInterval(sample, sampleMs);
  onCleanup(() => clearInterval(timer));
  return (id) => {
    version();
    const known = buffers.get(id)?.toArray() ?? [];
    return [...Array.from({ length: samples - known.length }, () => undefined), ...known];
  };
}
