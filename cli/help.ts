import { argumentOf, commandNames, commandTable, type CommandName } from "./command-table.ts";
import { flagRows } from "./flags.ts";

const width = 78;

function wrapped(text: string, room: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function column(name: string, text: string): string {
  const room = 24;
  const [first = "", ...rest] = wrapped(text, width - room);
  const indent = " ".repeat(room + 2);
  const head =
    name.length < room ? `  ${name.padEnd(room)}${first}` : `  ${name}\n${indent}${first}`;
  return [head, ...rest.map((line) => indent + line)].join("\n");
}

function usageOf(name: CommandName): string {
  const argument = argumentOf(name);
  return argument === undefined ? name : `${name} ${argument}`;
}

const exitCodeText = `Exit codes: 0 done; 1 refused, or a host failed; 2 wrong usage; 3 differences (diff,
--dry-run); 4 the server cannot be reached or does not accept the token.
`;

/** All about the commands that begin with these words; about every one when there are none. */
export function helpText(program: string, words: readonly string[]): string {
  const topic = words.join(" ");
  const command = commandNames.find((name) => name === topic);
  if (command !== undefined) return commandHelp(program, command);
  const known = commandNames.filter((name) => name.split(" ", 1)[0] === topic);
  const shown = known.length === 0 ? commandNames : known;
  const rows = shown.map((name) => column(usageOf(name), commandTable[name].summary));
  return `VectorFlow on the command line

Usage: ${program} <command> [options]

Commands:
${rows.join("\n")}

${program} <command> --help tells about one command.

Make an API token in the web client, on the team's page, and put it into a file or into
VECTORFLOW_TOKEN. VECTORFLOW_SERVER and VECTORFLOW_ENVIRONMENT save typing. NO_COLOR is honoured.

${exitCodeText}`;
}

function commandHelp(program: string, name: CommandName): string {
  const { summary, example, ...more } = commandTable[name];
  const details: readonly string[] = "details" in more ? more.details : [];
  const flags = flagRows
    .filter(([, { commands }]) => commands.includes(name))
    .map(([flag, { value, short, help }]) =>
      column(
        `${short === undefined ? "" : `-${short}, `}--${flag}${value === undefined ? "" : ` ${value}`}`,
        help,
      ),
    );
  const paragraphs = [summary, ...details].map((text) => wrapped(text, width + 2).join("\n"));
  return `Usage: ${program} ${usageOf(name)} [options]

${paragraphs.join("\n\n")}

Options:
${[...flags, column("-h, --help", "Show this text.")].join("\n")}

Example:
  ${program} ${example}

${exitCodeText}`;
}
