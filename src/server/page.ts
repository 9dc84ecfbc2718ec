/** Pages that carry their own style: allowed by its hash, so that nothing else is. */
import { hash } from 'node:crypto';

/** A page of HTML without scripts; its style elements are the only style it may have. */
export function pageResponse(html: string): Response {
  const styles = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map(
    ([, text]) => `'sha256-${hash('sha256', text!, 'base64')}'`,
  );
  const policy = [
    "default-src 'none'",
    `style-src ${styles.length === 0 ? "'none'" : styles.join(' ')}`,
    "img-src data: 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      'cache-control': 'private, no-cache',
    },
  });
}
