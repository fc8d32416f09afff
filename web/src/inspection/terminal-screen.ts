import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";

import "@xterm/xterm/css/xterm.css";

export interface ScreenEvents {
  onInput(input: Uint8Array): void;
  onResize(columns: number, rows: number): void;
}

/** A terminal in an element. It fills it, and takes the colours of the page. */
export interface Screen {
  size(): { readonly columns: number; readonly rows: number };
  write(content: Uint8Array): void;
  focus(): void;
  dispose(): void;
}

export function openScreen(element: HTMLElement, events: ScreenEvents): Screen {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const terminal = new Terminal({
    fontFamily: token("--font-code") || "monospace",
    fontSize: 12,
    scrollback: 0,
    cursorBlink: false,
    screenReaderMode: true,
    theme: { background: style.backgroundColor, foreground: style.color },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(element);
  fit.fit();
  const encoder = new TextEncoder();
  terminal.onData((text) => events.onInput(encoder.encode(text)));
  terminal.onResize(() => {
    const { columns, rows } = sizeOf(terminal);
    events.onResize(columns, rows);
  });
  const observer =
    typeof ResizeObserver === "undefined" ? undefined : new ResizeObserver(() => fit.fit());
  observer?.observe(element);
  return {
    size: () => sizeOf(terminal),
    write: (content) => terminal.write(content),
    focus: () => terminal.focus(),
    dispose() {
      observer?.disconnect();
      terminal.dispose();
    },
  };
}

/** A size that the server takes; a narrower place scrolls. */
function sizeOf(terminal: Terminal): { readonly columns: number; readonly rows: number } {
  const between = (value: number, least: number, most: number): number =>
    Math.min(most, Math.max(least, value));
  return { columns: between(terminal.cols, 20, 500), rows: between(terminal.rows, 5, 200) };
}
