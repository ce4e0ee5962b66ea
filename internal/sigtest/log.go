package sigtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	common "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/transparency-dev/merkle/rfc6962"
	merkle "github.com/transparency-dev/merkle/testonly"
)

// log is a transparency log: an append-only tree whose heads it signs.
type log struct {
	host string
	key  crypto.Signer // ECDSA of v1, Ed25519 of v2
	id   [sha256.Size]byte

	mu   sync.Mutex
	tree *merkle.Tree
}

// newLog makes a log that is empty. One of Rekor v2 is named as its checkpoints name its key:
//
// "key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]" (C2SP signed-note; the
// log's id is the whole of it)
func newLog(host string, key crypto.Signer) (*log, error) {
	l := &log{host: host, key: key, tree: merkle.New(rfc6962.DefaultHasher)}
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		l.id = sha256.Sum256(append([]byte(host+"\n\x01"), public...))
		return l, nil
	}
	var err error
	l.id, err = keyID(key.Public())
	return l, err
}

// treeID is of the one tree of a Rekor v1 log.
const treeID = 1193050959916656506

// add appends an entry, and gives it with its proof under a head that the log signs for a tree
// that ends with it. v1 entries have the log's promise and its time beside that.
func (l *log) add(kind, version string, body []byte, at time.Time) (*rekor.TransparencyLogEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tree.AppendData(body)
	size := l.tree.Size()
	hashes, err := l.tree.InclusionProof(size-1, size)
	if err != nil {
		return nil, err
	}
	root := l.tree.HashAt(size)
	origin := l.host
	v1 := version == "0.0.1"
	if v1 {
		origin = fmt.Sprintf("%s - %d", l.host, int64(treeID))
	}
	head, err := l.head(fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root)))
	if err != nil {
		return nil, err
	}
	entry := &rekor.TransparencyLogEntry{
		LogIndex: int64(size - 1), LogId: &common.LogId{KeyId: l.id[:]},
		KindVersion: &rekor.KindVersion{Kind: kind, Version: version},
		InclusionProof: &rekor.InclusionProof{
			LogIndex: int64(size - 1), RootHash: root, TreeSize: int64(size), Hashes: hashes,
			Checkpoint: &rekor.Checkpoint{Envelope: head},
		},
		CanonicalizedBody: body,
	}
	if !v1 {
		return entry, nil
	}
	entry.IntegratedTime = at.Unix()
	promise, err := l.promise(entry)
	entry.InclusionPromise = &rekor.InclusionPromise{SignedEntryTimestamp: promise}
	return entry, err
}

// head signs a checkpoint as a note: its text, an empty line, and a line with the log's name and
// its signature after the first four bytes of its key's id.
func (l *log) head(text string) (string, error) {
	signature, err := l.sign([]byte(text))
	if err != nil {
		return "", err
	}
	hint := binary.BigEndian.Uint32(l.id[:])
	signature = append(binary.BigEndian.AppendUint32(nil, hint), signature...)
	return fmt.Sprintf("%s\n\u2014 %s %s\n", text, l.host, base64.StdEncoding.EncodeToString(signature)), nil
}

// promise is Rekor v1's signed entry timestamp: over the entry in canonical JSON, whose keys are
// sorted.
func (l *log) promise(entry *rekor.TransparencyLogEntry) ([]byte, error) {
	payload, err := json.Marshal(payloadOf(entry))
	if err != nil {
		return nil, err
	}
	return l.sign(payload)
}

func payloadOf(entry *rekor.TransparencyLogEntry) map[string]any {
	return map[string]any{
		"body": base64.StdEncoding.EncodeToString(entry.CanonicalizedBody), "integratedTime": entry.IntegratedTime,
		"logIndex": entry.LogIndex, "logID": hex.EncodeToString(entry.LogId.KeyId),
	}
}

func (l *log) sign(message []byte) ([]byte, error) {
	if _, ok := l.key.(ed25519.PrivateKey); ok {
		return l.key.Sign(rand.Reader, message, crypto.Hash(0))
	}
	sum := sha256.Sum256(message)
	return l.key.Sign(rand.Reader, sum[:], crypto.SHA256)
}
