/**
 * Log-in through an OpenID provider: authorisation code with PKCE, state and nonce; the ID token's signature, issuer, audience and time are
 * checked by openid-client. An account belongs to issuer and subject alone: never is one found by an e-mail address or a name.
 */
import { hash } from 'node:crypto';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from 'openid-client';
import { Failure } from '../../base/failure.ts';
import type { CatalogDb } from '../../catalog/catalog.ts';
import { EVERY_APP } from '../../catalog/grants.ts';
import { createOidcLogin, takeOidcLogin } from '../../catalog/oidc-logins.ts';
import type { Role } from '../../catalog/schema.ts';
import type { OidcSettings } from '../../config/settings.ts';
import { hashSecret, newSecret } from './secrets.ts';

const TIMEOUT_S = 10;
const LOGIN_MS = 10 * 60_000;

export interface Begun {
  /** Where the browser goes. */
  readonly url: URL;
  /** For a cookie of that browser: only it can end what it began. */
  readonly browser: string;
}

/** Whom the provider vouches for. */
export interface Vouched {
  /** Issuer and subject. */
  readonly subject: string;
  /** What to call a new account, if it is free. */
  readonly suggestedName: string | undefined;
  readonly email: string | undefined;
  readonly grants: readonly { readonly app: string; readonly role: Role }[];
}

export class OidcProvider {
  readonly settings: OidcSettings;
  #discovered: Promise<Configuration> | undefined;

  constructor(settings: OidcSettings) {
    this.settings = settings;
  }

  /** Throws `oidc_failed` when the provider cannot be asked. */
  async begin(db: CatalogDb, redirect: URL, now: number): Promise<Begun> {
    const [state, nonce, verifier, browser] = [newSecret(), newSecret(), newSecret(), newSecret()];
    const provider = await this.#provider();
    const kept = {
      state: hashSecret(state),
      browser: hashSecret(browser),
      nonce,
      verifier,
      expires_at: now + LOGIN_MS,
    };
    await createOidcLogin(db, kept, now);
    const url = buildAuthorizationUrl(provider, {
      redirect_uri: redirect.href,
      scope: ['openid', 'profile', ...this.settings.scopes].join(' '),
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    return { url, browser };
  }

  /** `came`: the address that the provider sent the browser to, with all that stands in it. Throws `oidc_failed`. */
  async end(db: CatalogDb, came: URL, browser: string, now: number): Promise<Vouched> {
    const state = came.searchParams.get('state') ?? '';
    const begun = await takeOidcLogin(db, { state: hashSecret(state), browser: hashSecret(browser) }, now);
    if (begun === undefined) throw failed('it was not begun in this browser, was ended before, or took too long');
    const provider = await this.#provider();
    try {
      const tokens = await authorizationCodeGrant(provider, came, {
        ...{
          expectedState: state,
          expectedNonce: begun.nonce,
          pkceCodeVerifier: begun.verifier,
          idTokenExpected: true,
        },
      });
      const claims = tokens.claims()!;
      const { claim } = this.settings.roles;
      const more =
        claim in claims || provider.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await fetchUserInfo(provider, tokens.access_token, claims.sub);
      return this.#vouched({ ...more, ...claims });
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw failed(reasonOf(error), error);
    }
  }

  #vouched(claims: Readonly<Record<string, unknown>> & { readonly iss: string; readonly sub: string }): Vouched {
    const { claim, map } = this.settings.roles;
    const groups = [claims[claim]].flat().filter((group) => typeof group === 'string');
    const grants = groups.flatMap((group) => {
      const role = Object.hasOwn(map, group) ? map[group] : undefined;
      return role === undefined ? [] : (role.apps ?? [EVERY_APP]).map((app) => ({ app, role: role.role }));
    });
    if (grants.length === 0) throw failed(`none of the groups in "${claim}" has a role here`);
    return {
      subject: `${claims.iss} ${claims.sub}`,
      suggestedName: textOf(claims.preferred_username),
      email: claims.email_verified === true ? textOf(claims.email) : undefined,
      grants,
    };
  }

  /** Asked once; again after a failure. */
  #provider(): Promise<Configuration> {
    this.#discovered ??= this.#discover().catch((error: unknown) => {
      this.#discovered = undefined;
      throw failed(`the provider does not answer as one: ${reasonOf(error)}`, error);
    });
    return this.#discovered;
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.settings;
    const address = new URL(issuer);
    const insecure = address.protocol === 'http:' ? [allowInsecureRequests] : [];
    const metadata = await metadataOf(address, clientId, insecure);
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authentication = methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost;
    const provider = new Configuration(metadata, clientId, undefined, authentication(clientSecret));
    provider.timeout = TIMEOUT_S;
    for (const enable of [enableNonRepudiationChecks, ...insecure]) enable(provider);
    return provider;
  }
}

async function metadataOf(address: URL, clientId: string, execute: ((provider: Configuration) => void)[]) {
  return (await discovery(address, clientId, undefined, undefined, { execute, timeout: TIMEOUT_S })).serverMetadata();
}

/** A name for an account of a provider whose own name is taken or none. */
export function fallbackName(subject: string): string {
  return `oidc-${hash('sha256', subject).slice(0, 12)}`;
}

function failed(why: string, cause?: unknown): Failure {
  return new Failure('oidc_failed', `The log-in through the OpenID provider did not end well: ${why}.`, { cause });
}

/** What the library and the provider say is about protocol, never a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const answered = 'error' in error && typeof error.error === 'string' ? ` (${error.error})` : '';
  return `${error.message}${answered}${cause}`.slice(0, 300);
}

const textOf = (value: unknown) => (typeof value === 'string' ? value.slice(0, 200) : undefined);
