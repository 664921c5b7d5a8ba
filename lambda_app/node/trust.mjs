// Trusts the upstream's own certificate authority, for whatever makes a TLS connection: node:https and both undicis.
//
// Every client's context is made by tls.createSecureContext, with the default authorities in it; one is added to them.
// NODE_EXTRA_CA_CERTS wants a file, which would be left behind; tls.setDefaultCACertificates is not in Node 20.

import tls from "node:tls";

export function trustUpstream(pem = process.env.THAWLAB_CA_PEM) {
  if (!pem) return;
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const made = create(options);
    made.context.addCACert(pem);
    return made;
  };
}
