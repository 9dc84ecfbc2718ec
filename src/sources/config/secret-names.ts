/**
 * Which names announce a secret. A name is cut into words at punctuation and at changes of case (`dbPassword`, `DB_PASSWORD` and
 * `db-password` are alike), digits at a word's end do not count. The rules are written out in docs/guide/configuration-files.md.
 */

/** `if-random`: only a value that looks generated (see `looksRandom`) is taken for a secret. */
export type NameKind = 'secret' | 'if-random' | 'harmless';

/** A name with one of these words is secret, unless a harmless word says otherwise. */
const SECRET_WORDS = new Set(
  `PASSWORD PASSWORDS PASSWD PASSWDS PASSPHRASE PASSCODE PASS PWD PW SECRET TOKEN TOKENS CREDENTIAL CREDENTIALS DSN SALT APIKEY
   REQUIREPASS MASTERAUTH PEPPER HMAC`.split(/\s+/),
);

/** Unmistakable even inside a longer word: `pgpassword`, `clientsecret`. */
const SECRET_PARTS =
  /PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|APIKEY|PRIVATEKEY|ACCESSKEY|AUTHTOKEN|REQUIREPASS|MASTERAUTH/;

/** The name is about something other than the secret itself, wherever the word stands. */
const HARMLESS_WORDS = new Set('PUBLIC PUB MAX MIN VALIDATOR VALIDATORS HASHER HASHERS TOKENIZER'.split(' '));

/** The last word says that the value describes a secret, or says where it is. */
const HARMLESS_LAST = new Set(
  `FILE FILES PATH DIR DIRECTORY LOCATION ID IDS NAME NAMES URL URI ENDPOINT TYPE KIND MODE FORMAT VERSION LENGTH LEN SIZE BITS COUNT
   LIMIT TIMEOUT TTL EXPIRY EXPIRES EXPIRATION EXPIRE LIFETIME AGE DAYS HOURS MINUTES SECONDS INTERVAL ROTATION ALGORITHM ALG
   ENCRYPTION METHOD POLICY BACKEND CLASS MODEL HEADER HEADERS FIELD PARAM PREFIX SUFFIX ENABLED REQUIRED ISSUER AUDIENCE SCOPE HINT
   LABEL RELOAD PROMPT PROVIDER DRIVER`.split(/\s+/),
);

/** `X_KEY` is secret unless X is one of these. */
const HARMLESS_KEYS = new Set(
  `PRIMARY FOREIGN SORT PARTITION CACHE INDEX UNIQUE CANDIDATE SHARD GROUP ROUTING MAP HOST LOOKUP TRANSLATION OBJECT ORDER BUCKET META
   SITE DEFAULT HOT SHORTCUT`.split(/\s+/),
);

/** `X_pass`: web servers pass requests on. */
const PASSING_ON = new Set('PROXY FASTCGI UWSGI SCGI GRPC MEMCACHED BY'.split(' '));

/** Short names that are as often harmless as not. */
const IF_RANDOM = new Set(['KEY', 'KEYS', 'AUTH', 'PRIVATE', 'SECRETS', 'AUTHORIZATION', 'COOKIE', 'SIGNATURE']);

/** What `name` says about its value. A name is at most a few words; anything over 200 characters is none. */
export function nameKind(name: string): NameKind {
  if (name.length > 200) return 'harmless';
  const words = wordsOf(name);
  const last = words.at(-1);
  if (last === undefined || words.some((word) => HARMLESS_WORDS.has(word))) return 'harmless';
  const before = words.at(-2);
  if (words.length === 1 && IF_RANDOM.has(last)) return 'if-random';
  if (HARMLESS_LAST.has(last) && !(last === 'ID' && before === 'SECRET')) return 'harmless';
  if (last === 'PASS' && before !== undefined && PASSING_ON.has(before)) return 'harmless';
  if (words.some((word) => SECRET_WORDS.has(word)) || SECRET_PARTS.test(words.join(''))) return 'secret';
  if (last === 'KEY' || last === 'KEYS') return HARMLESS_KEYS.has(before ?? '') ? 'harmless' : 'secret';
  return IF_RANDOM.has(last) ? 'if-random' : 'harmless';
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]/)
    .map((word) => word.replace(/[0-9]{1,9}$/, ''))
    .filter((word) => word !== '');
}

/** Whether a value looks generated: 16 characters or more without spaces, letters and digits mixed, or 20 of both cases. */
export function looksRandom(value: string): boolean {
  if (value.length < 16 || /[ \t\r\n]/.test(value) || /^[./~]/.test(value) || value.includes('://')) return false;
  const letters = /[A-Za-z]/.test(value);
  if (letters && /[0-9]/.test(value)) return true;
  return value.length >= 20 && /[A-Z]/.test(value) && /[a-z]/.test(value);
}
