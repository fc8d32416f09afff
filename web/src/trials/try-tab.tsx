import { type JSX } from "solid-js";

import { usePipeline } from "../pipelines/pipeline-context.tsx";
import { SampleTrial } from "./sample-trial.tsx";
import { TestsSection } from "./tests-section.tsx";

import "./trials.css";

/** What the draft does, before it is deployed: its tests, and events that were sampled. */
export function TryTab(): JSX.Element {
  const pipeline = usePipeline();
  // The text that the server has looked at: it comes after a pause in the typing.
  const text = (): string => pipeline.preview.checked()?.text ?? pipeline.draft.text();
  return (
    <>
      <TestsSection text={text()} />
      <SampleTrial text={text()} />
    </>
  );
}
