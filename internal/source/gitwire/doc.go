// Package gitwire reads commits, trees and exact blobs of one remote repository by git's
// own protocol, version 2, over HTTP (gitprotocol-http, gitprotocol-v2).
//
// It sends one POST to git-upload-pack for each fetch and no request for capabilities: that
// a server speaks version 2, takes filters and gives any object by its id is assumed, as it
// is so of GitHub, and a server that does not answers with an error here. A commit comes
// with all its trees and no blob (deepen 1, filter blob:none); blobs come by their ids, as
// many as are wanted in one request.
//
// What comes is a pack, and an attacker may have written all of it. It is spooled to a
// temporary file without a name, within a limit of bytes; indexed in one pass, in which
// every object is made and its id computed from its content; and read from the file on
// demand. Held in memory are 32 bytes an object. Time is bounded by the size of the pack
// (gitobject.Work), by an answer that may not stall, and by the context.
package gitwire
