// An OpenID provider on loopback. It prints its issuer in the first line, exchanges its signing key on
// POST /rotate, and ends with its standard input, so that it never outlives the test that started it.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [secret] = process.argv.slice(2);
const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/rotate') {
    handler = made();
    response.end('{}');
    return;
  }
  handler(request, response);
});
let issuer;
let handler;

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'ES256' };
}

function made() {
  const provider = new Provider(issuer, {
    jwks: { keys: [signingKey()] },
    scopes: ['erp.products:read'],
    clients: [{
      client_id: 'shop',
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'erp.products:read',
      id_token_signed_response_alg: 'ES256',
    }],
    extraTokenClaims: () => ({ accounts: ['C-1000'] }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, indicator) => ({
          scope: 'erp.products:read',
          audience: indicator.replace('/opaque', ''),
          accessTokenTTL: 300,
          accessTokenFormat: indicator.endsWith('/opaque') ? 'opaque' : 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  return provider.callback();
}

server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  handler = made();
  console.log(issuer);
});
process.stdin.resume().on('end', () => process.exit(0));
