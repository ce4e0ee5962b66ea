// Package ghclient speaks REST and GraphQL to GitHub, for everything in this product
// that does. It knows how to sign as a GitHub App or with a token, what GitHub's limits
// look like, what may be asked again, and what must never leave in an error or a log.
//
// What it promises:
//
//   - A secret goes to the host of Options.BaseURL (and its API) and to no other, over TLS,
//     or over plain HTTP to loopback alone. Redirects are followed within that host.
//   - No request is sent before the time that GitHub told, whichever of its forms the
//     answer had; all clients of one token or installation wait together.
//   - What reads (GET, HEAD, GraphQL queries) is tried again after 5xx, a cut answer, a
//     timeout or a limit, a few times. What writes is sent once: the caller looks at what
//     is there before it sends it again (ErrUnknownOutcome).
//   - Writes of one token or installation go one after the other, a second apart, as GitHub
//     asks of POST, PATCH, PUT and DELETE alike ("Best practices for using the REST API"), in
//     the order in which they came; Urgent ones first.
//   - Every answer is read with a limit. HTML, cut JSON and an answer of another host are
//     errors that say so.
//   - Errors are one line, and hold no token, key or address with a secret in it.
//
// Clients are safe for concurrent use.
package ghclient
