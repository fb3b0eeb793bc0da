// An authority of this run, and the certificates that it gives to servers. Nothing is kept.

import "reflect-metadata";

import { webcrypto } from "node:crypto";

import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 86_400_000;

/** A new authority: its own certificate, and what makes one for servers. */
export async function authority() {
  const root = await signer("CN=Authority of these tests");
  const between = await signer("CN=An authority between", root);
  return { certificate: root.certificate.toString("pem"), certify };

  /**
   * A server's key and certificate for these names. `by`: who has signed it, the authority, one
   * between (whose certificate the server sends or forgets), or the server itself.
   */
  async function certify(names, { from = -DAY, until = 30 * DAY, by = "authority", isChainSent = true } = {}) {
    const server = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const issuer = { authority: root, between, itself: { name: `CN=${names[0]}`, keys: server } }[by];
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${names[0]}`,
      issuer: issuer.name,
      publicKey: server.publicKey,
      signingKey: issuer.keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() + from),
      notAfter: new Date(Date.now() + until),
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[\d.]+$/.test(value) ? "ip" : "dns", value })),
        ),
      ],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", server.privateKey));
    const body = pkcs8.toString("base64").replaceAll(/.{64}/g, "$&\n");
    const chain = by === "between" && isChainSent ? [certificate, between.certificate] : [certificate];
    return {
      key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
      cert: chain.map((each) => each.toString("pem")).join("\n"),
    };
  }
}

/** Keys and a certificate that sign others: of its own, or of another authority. */
async function signer(name, by) {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: by?.name ?? name,
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 90 * DAY),
    notAfter: new Date(Date.now() + 90 * DAY),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { name, keys, certificate };
}
