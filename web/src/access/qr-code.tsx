import { createMemo, type JSX } from "solid-js";
import { encode } from "uqr";

/** A QR code, drawn as one path. Always dark on light: scanners want it so. */
export function QrCode(props: { text: string; label: string }): JSX.Element {
  const code = createMemo(() => encode(props.text, { border: 2 }));
  const path = (): string =>
    code()
      .data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")))
      .join("");
  return (
    <svg
      class="qr-code"
      role="img"
      aria-label={props.label}
      viewBox={`0 0 ${code().size} ${code().size}`}
      shape-rendering="crispEdges"
    >
      <path d={path()} />
    </svg>
  );
}
