// Makes seeds/ from tests/vectors: `node fuzz/seeds.mjs`. Small files, at most 200 KB in all.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'

const at = path => new URL(path, import.meta.url)
const read = path => JSON.parse(readFileSync(at(path), 'utf8'))
const vectors = read('../tests/vectors/better-auth/vectors.json').vectors

// The token that the target `session_data` puts beside what it signs.
const TOKEN = 'aukNCkS3PZEdr54k0zJC2e7lU5PMYdzx'

const seeds = { token: {}, jwk_set: {}, cookie_header: {}, session_data: {}, decide: {} }
const slug = name => name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60)
const decoded = part => Buffer.from(part, 'base64url').toString()

for (const { name, jwt, jwks, cookie, authorization } of vectors) {
  if (jwt) {
    const [header, payload] = jwt.split('.')
    seeds.token[`raw-${slug(name)}`] = `raw a 845000\n${jwt}`
    const signed = JSON.stringify({ ...JSON.parse(decoded(header)), alg: 'EdDSA', kid: 'fuzz' })
    seeds.token[`signed-${slug(name)}`] = `signed ${name.length % 2 ? 'c' : 'h'} 839750\n${signed}\n${decoded(payload)}`
  }
  if (jwks) seeds.jwk_set[slug(name)] = JSON.stringify(jwks)
  if (cookie) {
    if (cookie.length < 2000 || name === 'compact-chunked-2') seeds.cookie_header[slug(name)] = cookie
    const data = /session_data=([^;]*)/.exec(cookie)?.[1]
    if (data) Object.assign(seeds.session_data, ofSessionData(name, data))
  }
  if (authorization) seeds.token[`raw-${slug(name)}`] = `raw a 1\n${authorization.replace('Bearer ', '')}`
}

function ofSessionData(name, data) {
  const parts = data.split('.')
  const content = text => text.replace(/"token":"[^"]*"/, `"token":"${TOKEN}"`).replace(/"sid":"[^"]*"/, `"sid":"${TOKEN}"`)
  if (parts.length === 3) {
    const header = decoded(parts[0])
    const mode = header.includes('HS256') ? 'jwt' : 'jwks'
    const key = mode === 'jwt' ? header : JSON.stringify({ ...JSON.parse(header), alg: 'EdDSA', kid: 'fuzz' })
    return { [`${mode}-${slug(name)}`]: `${mode} 239750\n${key}\n${content(decoded(parts[1]))}` }
  }
  if (parts.length === 1) {
    const whole = decoded(data)
    const [, session] = /^{"session":(.*),"expiresAt":\d+,"signature":"[^"]*"}$/.exec(whole) ?? []
    const expiresAt = /"expiresAt":(\d+),"signature"/.exec(whole)?.[1]
    return session ? { [`compact-${slug(name)}`]: `compact 240001\n${expiresAt}\n${content(session)}` } : {}
  }
  return {}
}

const named = name => vectors.find(vector => vector.name === name)
const sessionData = name => /session_data=([^;]*)/.exec(named(name).cookie)[1]
for (const [number, name] of ['compact-valid', 'jwt-hs256-valid', 'jwe-valid', 'compact-impersonation'].entries()) {
  seeds.session_data[`raw-${slug(name)}`] = `raw 240001 ${number}\n${sessionData(name)}`
}
const jwtContent = ofSessionData('jwe', sessionData('jwt-hs256-valid'))['jwt-jwe'].split('\n')[2]
const JWE = '{"alg":"dir","enc":"A256CBC-HS512","kid":"SsSwlZ39Vw6GGm-wPopy-k1OA8Iv6B1XJcIH7vViC5c"}'
seeds.session_data['jwe-content'] = `jwe 239750\n${JWE}\n${jwtContent}`
seeds.jwk_set['empty'] = '{"keys":[]}'
seeds.jwk_set['null'] = 'null'
seeds.jwk_set['members'] = 'keys\n0 "use":"sig",\n1 "key_ops":["verify"],\n2 "x5c":[],'
seeds.jwk_set['other-members'] = 'keys\n0 "use":"enc",\n1 "kid":"x",\n2 "alg":"PS256",'
seeds.jwk_set['one-of-them'] = 'keys\n0 '
seeds.jwk_set['private-members'] = 'keys\n0 "d":"AAAA",\n1 "k":"AAAA",\n2 "p":"AAAA",'
seeds.jwk_set['three'] = JSON.stringify({ keys: ['eddsa', 'es256', 'rs256'].map(alg => named(`api-jwt-${alg}-valid`).jwks.keys[0]) })
seeds.cookie_header['two-lines'] = named('jwt-hs256-valid').cookie.replace('; ', '\n')
seeds.token['signed-claims'] =
  'signed a 104000 aged\n{"alg":"Ed25519","kid":"fuzz","typ":"JWT"}\n' +
  '{"iss":"http://localhost:3000","aud":["x","http://localhost:3000"],"sub":"ada","iat":1795402800,"nbf":1795402800.5,"exp":1795402960}'

// A few short cases of each topic, with their configuration; all cases share the keys, so more would say little more.
for (const file of readdirSync(at('../tests/vectors/decisions/')).filter(file => file.endsWith('.json')).sort()) {
  const { policies, cases } = read(`../tests/vectors/decisions/${file}`)
  const script = ({ policy, request, results = [] }) => [
    JSON.stringify(policies[policy].config),
    `> ${request.method} ${request.target} 0`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    ...results.map(result => (result.status ? `< ${result.status} ${result.body}` : '< failed')),
    `> ${request.method} ${request.target} 300000`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
  ].join('\n')
  const short = cases.filter(({ after }) => !after).map(one => [one, script(one)]).filter(([, text]) => text.length < 2500)
  for (const kind of ['forward', 'redirect', 'reject']) {
    for (const [one, text] of short.filter(([{ expect }]) => expect[kind]).sort(([, a], [, b]) => b.length - a.length).slice(0, kind === 'forward' ? 2 : 1)) {
      seeds.decide[slug(`${file.replace('.json', '')} ${one.name}`)] = text
    }
  }
}

let bytes = 0
for (const [target, files] of Object.entries(seeds)) {
  rmSync(at(`seeds/${target}/`), { recursive: true, force: true })
  mkdirSync(at(`seeds/${target}/`), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text, 'utf8')
    bytes += content.length
    writeFileSync(at(`seeds/${target}/${name}`), content)
  }
  console.log(`${target}: ${Object.keys(files).length} seeds`)
}
console.log(`${bytes} bytes in all`)
