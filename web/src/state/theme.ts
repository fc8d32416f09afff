import { createSignal, type Accessor } from "solid-js";

export type Theme = "system" | "light" | "dark";

const key = "vectorflow.theme";

/** The chosen theme. The script that index.html loads first applies a stored one before any paint. */
export function createTheme(): { theme: Accessor<Theme>; setTheme: (theme: Theme) => void } {
  const [theme, setTheme] = createSignal<Theme>(stored());
  return {
    theme,
    setTheme(next) {
      setTheme(next);
      const root = document.documentElement;
      if (next === "system") delete root.dataset["theme"];
      else root.dataset["theme"] = next;
      try {
        if (next === "system") localStorage.removeItem(key);
        else localStorage.setItem(key, next);
      } catch {
        // Storage may be blocked; the choice lasts until the page is left.
      }
    },
  };
}

/** Calls back when the colours on show change, by choice or with the system. */
export function onThemeChange(callback: () => void): () => void {
  const observer = new MutationObserver(callback);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", callback);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", callback);
  };
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}
