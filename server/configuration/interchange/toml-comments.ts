/** Comments of a TOML text by the path of what they stand beside, without their `#`. */
export interface TomlComments {
  /** By `pathKey`: the lines before a table, a key or an item of a list. */
  readonly before: ReadonlyMap<string, readonly string[]>;
  /** By `pathKey`: what stands behind a value on its line. */
  readonly behind: ReadonlyMap<string, string>;
  /** What stands after everything else. */
  readonly atEnd: readonly string[];
}

export function pathKey(path: readonly (string | number)[]): string {
  return JSON.stringify(path);
}

/** Finds the comments of a text that is TOML. Pure; the text must have been parsed without an error. */
export function readTomlComments(text: string): TomlComments {
  return new CommentReader(text).read();
}

type Path = readonly (string | number)[];

class CommentReader {
  readonly #text: string;
  readonly #before = new Map<string, string[]>();
  readonly #behind = new Map<string, string>();
  /** How many elements an array of tables has so far, by the key of its path. */
  readonly #tables = new Map<string, number>();
  #at = 0;
  #pending: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): TomlComments {
    let table: Path = [];
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) break;
      if (this.#peek() === "#") this.#pending.push(this.#comment());
      else if (this.#peek() === "[") table = this.#header();
      else this.#keyAndValue(table);
    }
    return { before: this.#before, behind: this.#behind, atEnd: this.#pending };
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #skipBlank(): void {
    while (/\s/.test(this.#peek())) this.#at += 1;
  }

  #skipSpaces(): void {
    while (this.#peek() === " " || this.#peek() === "\t") this.#at += 1;
  }

  #comment(): string {
    const end = this.#text.indexOf("\n", this.#at);
    const line = this.#text.slice(this.#at + 1, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#text.length : end;
    return line.trimEnd();
  }

  /** Hangs what was read before on a path. */
  #settle(path: Path): void {
    if (this.#pending.length === 0) return;
    const key = pathKey(path);
    this.#before.set(key, [...(this.#before.get(key) ?? []), ...this.#pending]);
    this.#pending = [];
  }

  #header(): Path {
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#at += isArray ? 2 : 1;
    const names = this.#keyPath();
    this.#at += isArray ? 2 : 1;
    const parent = this.#resolve(names.slice(0, -1));
    const last = names.at(-1) ?? "";
    let path: Path = this.#resolve([last], parent);
    if (isArray) {
      const key = pathKey([...parent, last]);
      const count = this.#tables.get(key) ?? 0;
      this.#tables.set(key, count + 1);
      path = [...parent, last, count];
    }
    this.#skipSpaces();
    if (this.#peek() === "#") this.#pending.push(this.#comment());
    this.#settle(path);
    return path;
  }

  /** The path that names lead to: through an array of tables to its newest element. */
  #resolve(names: readonly string[], from: Path = []): Path {
    const path = [...from];
    for (const name of names) {
      path.push(name);
      const count = this.#tables.get(pathKey(path));
      if (count !== undefined) path.push(count - 1);
    }
    return path;
  }

  #keyAndValue(table: Path): void {
    const path = [...table, ...this.#keyPath()];
    this.#at += 1;
    this.#settle(path);
    this.#skipSpaces();
    this.#value(path);
    this.#skipSpaces();
    if (this.#peek() === "#") this.#behind.set(pathKey(path), this.#comment());
    else if (!/[\r\n]/.test(this.#peek()) && this.#at < this.#text.length) this.#at += 1;
    // What stands inside an inline table belongs to its key.
    this.#settle(path);
  }

  #keyPath(): string[] {
    const names: string[] = [];
    for (;;) {
      this.#skipSpaces();
      names.push(this.#name());
      this.#skipSpaces();
      if (this.#peek() !== ".") return names;
      this.#at += 1;
    }
  }

  #name(): string {
    const quote = this.#peek();
    if (quote !== '"' && quote !== "'") {
      const from = this.#at;
      while (/[A-Za-z0-9_-]/.test(this.#peek())) this.#at += 1;
      return this.#text.slice(from, this.#at);
    }
    const from = this.#at;
    this.#string();
    const literal = this.#text.slice(from, this.#at);
    if (quote === "'") return literal.slice(1, -1);
    try {
      return JSON.parse(literal) as string;
    } catch {
      // An escape that JSON does not have: its comments find no place, and go to what follows.
      return literal;
    }
  }

  #value(path: Path): void {
    const start = this.#peek();
    if (start === '"' || start === "'") this.#string();
    else if (start === "[") this.#list(path);
    else if (start === "{") this.#inlineTable(path);
    else while (!/[\s,\]}#]|^$/.test(this.#peek())) this.#at += 1;
    // A date and a time may have a space between them.
    if (/^ \d\d:/.test(this.#text.slice(this.#at, this.#at + 4))) {
      this.#at += 1;
      while (!/[\s,\]}#]|^$/.test(this.#peek())) this.#at += 1;
    }
  }

  #string(): void {
    const quote = this.#peek();
    const long = this.#text.startsWith(quote.repeat(3), this.#at);
    const end = long ? quote.repeat(3) : quote;
    this.#at += end.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      this.#at += quote === '"' && this.#peek() === "\\" ? 2 : 1;
    }
    this.#at += end.length;
    // Up to two quotes may stand before the three that end it.
    if (!long) return;
    while (this.#peek() === quote) this.#at += 1;
  }

  #list(path: Path): void {
    this.#at += 1;
    for (let index = 0; this.#at < this.#text.length;) {
      this.#skipBlank();
      const next = this.#peek();
      if (next === "]") break;
      if (next === "#") this.#pending.push(this.#comment());
      else if (next === ",") this.#at += 1;
      else {
        const at = [...path, index];
        this.#settle(at);
        this.#value(at);
        this.#skipSpaces();
        if (this.#peek() === ",") this.#at += 1;
        this.#skipSpaces();
        if (this.#peek() === "#") this.#behind.set(pathKey(at), this.#comment());
        index += 1;
      }
    }
    this.#at += 1;
    this.#settle(path);
  }

  #inlineTable(path: Path): void {
    this.#at += 1;
    while (this.#at < this.#text.length) {
      this.#skipBlank();
      const next = this.#peek();
      if (next === "}") break;
      if (next === "#") this.#pending.push(this.#comment());
      else if (next === ",") this.#at += 1;
      else {
        const names = this.#keyPath();
        this.#at += 1;
        this.#skipSpaces();
        this.#value([...path, ...names]);
      }
    }
    this.#at += 1;
  }
}
