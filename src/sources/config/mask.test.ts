/**
 * Masking, format by format. In the tables «…» encloses what must be masked; everything else must stay as it is, byte for byte.
 * A bare value after a colon is put in quotes, because `***` alone would be an alias in YAML: written «"…"».
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { LARGEST_SEARCHED, maskSecrets } from './mask.ts';
import { MASK } from './spans.ts';

/** Asserts what masking makes of `marked` without its marks. */
function masks(name: string, marked: string): string {
  const content = marked.replace(/«"([^»]*)"»/g, '$1').replace(/[«»]/g, '');
  const expected = marked.replace(/«"[^»]*"»/g, `"${MASK}"`).replace(/«[^»]*»/g, MASK);
  const result = maskSecrets(name, Buffer.from(content));
  assert.ok(result !== undefined);
  assert.equal(result.content.toString(), expected);
  assert.equal(result.masked, marked.split('«').length - 1);
  return result.content.toString();
}

test('.env files: quotes, comments, exports, references and several lines', () => {
  masks(
    '.env.example',
    `# Settings of the clinic
SECRET_KEY=«django-insecure-abc#def»
DB_PASSWORD="«hunter 2»" # the database
DB_USER=clinic
export API_TOKEN='«abc»'
SINGLE_SECRET='«it''s»'
DEBUG=true
EMPTY_PASSWORD=
PUBLIC_KEY=abc
AWS_ACCESS_KEY_ID=«AKIAIOSFODNN7EXAMPLE»
AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»
#OLD_PASSWORD=«unused»
# password = see the vault for this
PASSWORD_FILE=/run/secrets/db
REFERENCE_PASSWORD=\${OTHER}
DEFAULT_PASSWORD=\${OTHER:-«hunter2»}
NEEDED_PASSWORD=\${OTHER:?set it}
GLUED_PASSWORD="«abc»def"
UMLAUT_PASSWORD=«pä ßwört»
MULTI_SECRET="«line one
line two»"
LAST=1
`.replace('"«abc»def"', '"«abc»"'),
  );
});

test('line endings and bytes that are no UTF-8 stay as they are', () => {
  const before = Buffer.from('A=\xff\r\nDB_PASSWORD=x\xe0y\r\nB=2', 'latin1');
  const result = maskSecrets('x.env', before);
  assert.equal(result?.content.toString('latin1'), `A=\xff\r\nDB_PASSWORD=${MASK}\r\nB=2`);
});

test('a quote that closes early does not let the rest of the word show', () => {
  const result = maskSecrets('.env.example', Buffer.from('DB_PASSWORD="abc"def\nA=1\n'));
  assert.equal(result?.content.toString(), `DB_PASSWORD="${MASK}"${MASK}\nA=1\n`);
});

const COMPOSE = `services:
  db:
    image: postgres:16   # keep
    environment:
      POSTGRES_PASSWORD: «"hunter2"»
      POSTGRES_USER: clinic
      POSTGRES_PASSWORD_FILE: /run/secrets/db_password
    secrets:
      - db_password
  cache:
    command: redis-server --requirepass «hunter2» --port 6379
    healthcheck: { test: ["CMD", "redis-cli", "--pass", "«hunter2»", "ping"] }
  web:
    environment:
      - SECRET_KEY=«abc def»
      - "DB_PASSWORD=«x y»"
      - DATABASE_URL=postgres://clinic:\${PW:-«zzz»}@db/clinic
      - REDIS_URL=redis://:«pw»@cache:6379/0
secrets:
  db_password:
    file: ./db_password.txt
tls:
  private_key: |
    «-----BEGIN PRIVATE KEY-----
    MIIabc
    -----END PRIVATE KEY-----»
  next: ok
auth: { password: «"abc"», user: x }
api_tokens:
  - «"abc"»
  - "«def»"
plain_list:
  - abc
quoted: { "password": "«a, b»" }
pin_token: «"123456"»
password:
  «"on-the-next-line"»
env:
  - name: DB_PASSWORD
    value: «"hunter2"»
  - name: DB_HOST
    value: db
`;

test('YAML: maps, lists, blocks, flow, references; the masked file is still YAML', () => {
  const parsed = parseYaml(masks('compose.yaml', COMPOSE));
  assert.equal(parsed.services.db.environment.POSTGRES_PASSWORD, MASK);
  assert.equal(parsed.services.web.environment[0], `SECRET_KEY=${MASK}`);
  assert.equal(parsed.tls.next, 'ok');
  masks('alias.yaml', 'one: &anchor x\npassword: *anchor\npasswords: &more «"y"»\n');
});

test('postgresql.conf and connection strings', () => {
  masks(
    'postgresql.conf',
    `password_encryption = scram-sha-256
ssl_key_file = '/etc/ssl/private/x.key'
ssl_passphrase_command = '«echo hunter2»'
ssl_passphrase_command_supports_reload = off
primary_conninfo = 'host=10.0.0.1 user=repl password=«s3cr,et;x» sslmode=require' # standby
#primary_conninfo = 'host=10.0.0.1 password=''«my pass»'' user=repl'
max_connections = 100
`,
  );
  masks('app.config', 'Server=db;Password=«abc»;Database=x\njdbc:postgresql://h/db?user=x&password=«abc»&ssl=1\n');
});

test('redis, nginx, INI, properties, Dockerfile, SQL, systemd', () => {
  masks(
    'redis.conf',
    `# requirepass «foobared»
requirepass «hunter2»
masterauth "«x y»"
user default on >«pw1» ~* +@all
user worker on #«5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8» ~*
port 6379
`,
  );
  masks(
    'nginx.conf',
    `proxy_pass http://backend;
ssl_certificate_key /etc/nginx/x.key;
proxy_set_header Authorization "Bearer «abcdef0123456789abcdef»";
proxy_set_header X-Api-Key "«abc»";
set $secret "«abc»";
secure_link_secret «word»;
`,
  );
  masks('app.ini', '[db]\npassword = «a b c» ; comment\nuser = x\nsmtp.password: «"x"»\n');
  masks('Dockerfile', 'FROM node\nENV DB_PASSWORD=«abc»\nENV API_TOKEN «abc»\nARG NPM_TOKEN\n');
  masks('init.sql', "CREATE USER x WITH PASSWORD '«abc»';\n");
  masks('web.service', '[Service]\nEnvironment="A=b" "DB_PASSWORD=«c d»"\n');
});

test('JSON, also on one line and inside a JSON string; the masked file is still JSON', () => {
  const masked = masks(
    'config.json',
    `{"a":1,"password":"«x\\"y»","nested":{"api_key":"«y»","n":2},"pin_token":«"1234"»,"tokens":["«a»","«b»"],"private":true,` +
      `"inner":"{\\"password\\":\\"«zz»\\"}","list":[{"name":"DB_PASSWORD","value":"«q»"}]}`,
  );
  assert.equal(JSON.parse(masked).nested.n, 2);
});

test('TOML and XML', () => {
  masks(
    'a.toml',
    'password = "«x»" # c\nmulti_secret = """«\nabc\n»"""\nconn = { user = "u", password = "«p»" }\nkeys = ["short"]\n',
  );
  masks(
    'a.xml',
    '<a><password>«p w»</password><user>u</user></a>\n<add key="DbPassword" value="«abc»"/>\n<c password="«q»"/>\n',
  );
});

test('Django settings: literals are masked, names of environment variables and everything else stay', () => {
  masks(
    'settings.py',
    `SECRET_KEY = '«django-insecure-x»'
SECRET_KEY = os.environ.get("SECRET_KEY", "«fallback»")  # it's a comment
SECRET_KEY = config('SECRET_KEY', default='«dd»')
SECRET_KEY: str = (
    "«abc»"
    "«def»"
)
TOKEN = '«ab»' if DEBUG else os.environ["TOKEN"]
DATABASES = {'default': {'ENGINE': 'x', 'USER': 'u', 'PASSWORD': '«pw»', 'HOST': env('DB_HOST', 'db')}}
AUTH_PASSWORD_VALIDATORS = [
    {'NAME': 'django.contrib.auth.password_validation.X'},
]
PASSWORD_RESET_TIMEOUT = 3600
EMAIL_HOST_PASSWORD = os.environ['EMAIL_HOST_PASSWORD']
CACHES = {'default': {'LOCATION': 'redis://:«pw»@h/1'}}
def get_token(self):
    return "x"
`,
  );
  masks(
    'wp-config.php',
    "define( 'DB_PASSWORD', '«pw»' );\n$password = '«x»';\n'password' => env('DB_PASSWORD', '«forge»'),\n",
  );
  masks(
    'config.js',
    'x = { password: "«x»", apiKey: process.env.API_KEY, n: 1 };\nconst getToken = () => {\n  return "x";\n};\n',
  );
});

function pem(kind: string, body: string): string {
  return `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----\n`;
}

test('private keys: the whole block, in any file; certificates stay', () => {
  masks('server.pem', pem('RSA PRIVATE KEY', '«MIIE\nabc=»') + pem('CERTIFICATE', 'MII\nabc='));
  masks('notes.txt', `text\n${pem('OPENSSH PRIVATE KEY', '«b3BlbnNza»')}text\n`);
  masks('a.json', '{"cert":"-----BEGIN EC PRIVATE KEY-----\\n«MII\\nx»\\n-----END EC PRIVATE KEY-----\\n","n":1}');
  masks('cut.pem', '-----BEGIN PRIVATE KEY-----\n«MIIE\nno end»');
});

test('passwords in URLs, with what people put into them', () => {
  masks(
    'a.txt',
    'postgres://u:«p@ss»@h/db amqp://u:«p/w#x»@h:5672 https://user@host/ http://host:8080/a@b ssh://git@host/x.git\n',
  );
  masks('b.txt', 'https://«0123456789abcdef0123456789abcdef»@o1.ingest.sentry.io/2 mongodb+srv://u:«p»@h1,h2/?x=1\n');
  masks('c.txt', `postgres://\${USER}:\${PASS}@h/db\n`);
});

test('tokens of well-known form, and password hashes, under any name', () => {
  masks(
    'a.txt',
    `a: «ghp_0123456789abcdefghijABCDEFGHIJ012345» b
x = «xoxb-123456789012-abcdefghij»
jwt «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N» end
user:«$2y$10$abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRS»
role «SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVkS2V5c3RvcmVkS2V5:c2VydmVyS2V5c2VydmVyS2V5»
https://hooks.slack.com/services/«T0001/B0001/abcdefabcdef»
`,
  );
});

test('files made to hold passwords', () => {
  masks('home/.pgpass', '# comment\nh:5432:db:u:«pw\\:x»\n*:*:*:\\:odd:«pw»\n');
  masks('.htpasswd', 'anna:«{SHA}abc»\n');
  masks('userlist.txt', '"anna" "«pw»"\n');
  masks('.netrc', 'machine h login u password «pw» port 1\n');
});

test('prose and look-alikes are left alone', () => {
  masks(
    'README.md',
    'The password is asked for. A key = value file.\nToken refresh works as before.\nbasic authentication-required\n',
  );
  masks(
    'a.yaml',
    'key: id\nsort_key: name\ntoken_url: https://h/oauth/token\nmax_tokens: 4096\nmonkey: 1\npassword: null\npassword2: ~\n',
  );
  masks('pg_hba.conf', 'host all all 10.0.0.0/8 password\nhost all all 0.0.0.0/0 scram-sha-256\n');
});

test('masking twice changes nothing, and counts nothing', () => {
  for (const name of ['compose.yaml', 'x.env', 'settings.py']) {
    const content = Buffer.from("DB_PASSWORD='x'\napi_token: y\nurl: postgres://u:p@h/d\n");
    const once = maskSecrets(name, content)!;
    assert.deepEqual(maskSecrets(name, once.content), { content: once.content, masked: 0 });
  }
});

test('what is no text, or too large, cannot be searched', () => {
  assert.equal(maskSecrets('a', Buffer.from('a\0b')), undefined);
  assert.equal(maskSecrets('a', Buffer.alloc(LARGEST_SEARCHED + 1, 'a')), undefined);
  assert.notEqual(maskSecrets('a', Buffer.alloc(1000, 'a')), undefined);
});

/** Pieces that, repeated, would make a careless search take time with the square of the length. */
const HOSTILE =
  `password=( password=[ key=[ key=( password=" password=' password=\` password=\\" password=''' token:~|\\n token:\\n token=
  password~ --password~ a:// a://u: \${ eyJ eyJa. Bearer~ -----BEGIN~PRIVATE~KEY----- \\nuser~a~on~> <password> x _ aA ~ \\ '' key=" ;a=
  password=x;a "password"," name:~password\\n -~ {{ password=\${x:- password=~~~ :// @ a:b@ password=<`
    .split(/\s+/)
    .map((piece) => piece.replaceAll('~', ' ').replaceAll('\\n', '\n'));

test('the search takes time in proportion to the text, whatever it holds', { timeout: 240_000 }, () => {
  for (const piece of HOSTILE) {
    const content = Buffer.from(piece.repeat(Math.floor(LARGEST_SEARCHED / 8 / piece.length)));
    for (const name of ['a.py', 'a.yaml']) assert.ok(maskSecrets(name, content) !== undefined, piece);
  }
});
