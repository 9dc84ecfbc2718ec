/** Keys of the service about access: who may come in and how, what takes two people. */
import { isIP } from 'node:net';
import * as z from 'zod';
import { checkedText, choice, duration, mapping, name, path, secret, text } from './scalars.ts';

const SHORTEST_KEY = 32;

const role = choice('What its members may do.', ['viewer', 'operator', 'administrator']);

const oidc = mapping({
  issuer: checkedText('The address of the provider, as it names itself.', issuerProblem, { pattern: '^https?://' }),
  clientId: text('The name by which the provider knows this service.'),
  clientSecret: secret('What the provider knows this service by.'),
  title: text('How the provider is called where people log in.').default('Single sign-on'),
  scopes: z
    .array(text('A scope that is asked for.'), { error: 'must be a list' })
    .describe('Scopes that are asked for besides openid and profile; the claim of the roles may need one.')
    .default([]),
  roles: mapping({
    claim: text('The claim of the ID token that holds the groups: a text or a list of texts.').default('groups'),
    map: z
      .record(
        z.string().min(1),
        z.union(
          [
            role,
            mapping({
              role,
              apps: z
                .array(name, { error: 'must be a list of apps' })
                .min(1, 'must name an app')
                .describe('For these apps only.'),
            }),
          ],
          { error: 'must be viewer, operator or administrator, or a mapping with role and apps' },
        ),
        { error: 'must map groups to roles' },
      )
      .describe('What each group may do. Whoever is in none of them is refused.'),
  }).describe('Roles come from the provider, anew with every log-in.'),
}).describe('Log-in through an OpenID provider.');

/** To be spread into `server`. */
export const accessKeys = {
  sessions: mapping({
    idle: duration('A session that was not used for this long has ended.').default('12h'),
    longest: duration('A session ends this long after the log-in, whatever happens.').default('30d'),
  })
    .describe('How long a log-in lasts.')
    .prefault({}),
  secondPerson: z
    .array(
      choice('What waits until another person approves it.', [
        'restore',
        'rows',
        'forget',
        'prune',
        'unpin',
        'runbook',
      ]),
      { error: 'must be a list' },
    )
    .describe('Work asked for through the service that begins only once another person has approved it.')
    .default([]),
  approvals: mapping({
    within: duration('What nobody has approved after this long is off.').default('1d'),
  })
    .describe('How long something waits for a second person.')
    .prefault({}),
  trustedProxies: z
    .array(checkedText('An address, or a network such as 10.0.0.0/8.', networkProblem), { error: 'must be a list' })
    .describe('Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Nobody else is.')
    .default([]),
  tls: mapping({
    cert: path('The certificate and those between it and the root, as PEM.'),
    key: path('Its private key, as PEM.'),
  })
    .describe('Answer https, with a certificate of these files; they are read again when they change.')
    .optional(),
  oidc: oidc.optional(),
  key: secret(
    'What seals secrets in the catalog, such as those of authenticators: 32 characters or more, the same for all servers. Absent: a file beside a catalog of SQLite; with PostgreSQL there are no authenticators then.',
    keyProblem,
  ).optional(),
};

function keyProblem(written: string): string | undefined {
  return written.length >= SHORTEST_KEY && new Set(written).size >= SHORTEST_KEY / 4
    ? undefined
    : `must have ${SHORTEST_KEY} random characters or more: openssl rand -base64 32`;
}

function networkProblem(written: string): string | undefined {
  const [address = '', bits, ...rest] = written.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest);
  return family !== 0 && fits && rest.length === 0 ? undefined : 'must be an address or a network, such as 10.0.0.0/8';
}

/** Tokens and secrets travel on that way, so it is https; a provider on this machine may do without. */
function issuerProblem(written: string): string | undefined {
  const url = URL.parse(written);
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an address that begins with https://';
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || here ? undefined : 'must begin with https:// (http is for 127.0.0.1)';
}
