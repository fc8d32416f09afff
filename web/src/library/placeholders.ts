/** The names of the parameters that a text has, each once, in their order. As the server finds them. */
export function placeholdersIn(yaml: string): readonly string[] {
  const found = yaml.matchAll(/\bPARAM\[([A-Za-z_][A-Za-z0-9_.-]{0,127})\]/g);
  return [...new Set(Array.from(found, ([, name = ""]) => name))];
}
