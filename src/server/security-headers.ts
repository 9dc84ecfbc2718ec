/** Headers of every answer. Nothing here is a page that others may frame, script, sniff or cache for somebody else. */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
} as const;

/** Where the request came over TLS: the next ones do, too. Seconds. */
const SECURE_HEADERS = { ...SECURITY_HEADERS, 'strict-transport-security': 'max-age=31536000' };

/** What answers say of the request they belong to. */
export interface Asked {
  readonly requestId: string;
  /** It came over TLS. */
  readonly secure: boolean;
}

/** Answers that were made with all of them: a set of headers is dear to look into. */
const made = new WeakSet<Response>();

/** An answer with these headers, and with those that every answer has. */
export function safeResponse(
  body: string | Uint8Array<ArrayBuffer> | null,
  { status, headers }: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  { requestId, secure }: Asked,
): Response {
  const all = { ...(secure ? SECURE_HEADERS : SECURITY_HEADERS), 'x-request-id': requestId, ...headers };
  const response = new Response(body, { status, headers: all });
  made.add(response);
  return response;
}

/** Gives `response` what it lacks of them; its own go first. */
export function makeSafe(response: Response, { requestId, secure }: Asked): void {
  if (made.has(response)) return;
  const { headers } = response;
  headers.set('x-request-id', requestId);
  for (const [name, value] of Object.entries(secure ? SECURE_HEADERS : SECURITY_HEADERS))
    if (!headers.has(name)) headers.set(name, value);
}
