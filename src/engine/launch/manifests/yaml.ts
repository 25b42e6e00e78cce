/** What manifests are made of. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/** Words that YAML 1.1 or 1.2 takes for something else than text. */
const NOT_TEXT = /^(true|false|yes|no|on|off|null|y|n)$/i;
const PLAIN = /^[A-Za-z_/$][\w./${}:-]*$/;

/** A document in block style, two spaces a level. Text that could be taken for anything else is quoted as JSON, which YAML reads too. */
export function toYaml(value: Yaml): string {
  return `${lines(value).join('\n')}\n`;
}

function lines(value: Yaml): string[] {
  if (Array.isArray(value)) {
    const items = value as readonly Yaml[];
    return items.flatMap((item) => {
      if (isInline(item)) return [`- ${inline(item)}`];
      const [first = '', ...rest] = lines(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  return Object.entries(value as { readonly [key: string]: Yaml }).flatMap(([key, member]) => {
    if (isInline(member)) return [`${scalar(key)}: ${inline(member)}`];
    return [`${scalar(key)}:`, ...lines(member).map((line) => `  ${line}`)];
  });
}

/** Scalars, and lists of them such as commands, stand on one line. */
function isInline(value: Yaml): boolean {
  if (typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object');
  return Object.keys(value).length === 0;
}

function inline(value: Yaml): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
  return typeof value === 'object' ? '{}' : scalar(value as string | number | boolean);
}

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  return PLAIN.test(value) && !value.endsWith(':') && !value.includes(': ') && !NOT_TEXT.test(value)
    ? value
    : JSON.stringify(value);
}
