/** Takes secrets out of what is written down: by the names of fields, and out of URLs, headers and tokens in the middle of texts. */
const MASK = '********';
const MAX_DEPTH = 6;

const SECRET_NAME =
  /pass(word|wd|phrase|code)?$|secret|token$|authorization|cookie|credential|api-?key|private-?key|access-?key|^dsn$|csrf|totp/i;

const IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi, `$1:${MASK}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${MASK}`],
  [/\bhft_[\w-]+/g, `hft_${MASK}`],
  [/([?&](?:[\w-]*(?:token|secret|password|signature|key))=)[^&\s"']+/gi, `$1${MASK}`],
];

/** The same structure without secrets; what is deeper than a few levels is left out. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Error) return redactError(value, depth);
  if (value === null || typeof value !== 'object') return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, isSecret(name, field) ? MASK : redact(field, depth + 1)]),
  );
}

export function redactText(text: string): string {
  return IN_TEXT.reduce((clean, [pattern, by]) => clean.replace(pattern, by), text);
}

function isSecret(name: string, field: unknown): boolean {
  return field !== null && field !== undefined && typeof field !== 'boolean' && SECRET_NAME.test(name);
}

function redactError(error: Error, depth: number): unknown {
  const { name, message, stack, cause, ...more } = error;
  return {
    ...(redact(more, depth + 1) as object),
    name,
    message: redactText(message),
    ...(stack === undefined ? {} : { stack: redactText(stack) }),
    ...(cause === undefined || depth >= MAX_DEPTH ? {} : { cause: redact(cause, depth + 1) }),
  };
}
