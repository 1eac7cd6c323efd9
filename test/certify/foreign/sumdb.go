// Holds a log against golang.org/x/mod/sumdb: its note package opens the checkpoint, its tlog package checks inclusion and
// consistency proofs and reads the tiles. Each must be accepted as it is and refused with any byte changed.
//
//	sumdb VKEY CHECKPOINT OLD-CHECKPOINT ENTRY INCLUSION CONSISTENCY LOG
//
// INCLUSION is a c2sp.org/tlog-proof, CONSISTENCY a body of c2sp.org/tlog-witness, LOG a folder of c2sp.org/tlog-tiles.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(good bool, what string) {
	if !good {
		fmt.Println("failed:", what)
		os.Exit(1)
	}
}

func read(file string) string {
	bytes, err := os.ReadFile(file)
	must(err == nil, file)
	return string(bytes)
}

func hash(text string) (h tlog.Hash) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	must(err == nil && len(bytes) == 32, "hash "+text)
	copy(h[:], bytes)
	return h
}

// The tree that a checkpoint speaks of; Go's own ParseTree knows only Go's own origin.
func open(text string, key note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	rows := strings.Split(opened.Text, "\n")
	must(len(rows) == 4 && rows[0] == key.Name(), "origin, size, root hash")
	size, err := strconv.ParseInt(rows[1], 10, 64)
	return tlog.Tree{N: size, Hash: hash(rows[2])}, err
}

func hashes(rows []string) (out []tlog.Hash) {
	for _, row := range rows {
		if row == "" {
			break
		}
		out = append(out, hash(row))
	}
	return out
}

// Every byte of every hash changed, one at a time.
func eachChange(proof []tlog.Hash, check func([]tlog.Hash) error) (changes int) {
	for i := range proof {
		for b := range proof[i] {
			proof[i][b] ^= 1
			must(check(proof) != nil, "a changed proof was accepted")
			proof[i][b] ^= 1
			changes++
		}
	}
	must(check(append(proof, tlog.Hash{})) != nil, "a longer proof was accepted")
	if len(proof) > 0 {
		must(check(proof[1:]) != nil, "a shorter proof was accepted")
	}
	return changes
}

type tiles struct{ folder string }

func (t tiles) Height() int                      { return 8 }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) (out [][]byte, err error) {
	for _, tile := range wanted {
		// Go's path begins with the height, which c2sp.org/tlog-tiles leaves out.
		bytes, err := os.ReadFile(t.folder + "/" + strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		out = append(out, bytes)
	}
	return out, nil
}

func main() {
	key, err := note.NewVerifier(os.Args[1])
	must(err == nil, "verifier key")
	checkpoint := read(os.Args[2])
	tree, err := open(checkpoint, key)
	must(err == nil, "checkpoint")
	old, err := open(read(os.Args[3]), key)
	must(err == nil, "old checkpoint")
	changes := 0
	// Go decodes base64 leniently: two texts of the last sign may stand for one signature, which is then not changed.
	blob := strings.LastIndex(checkpoint, " ") + 1
	signature, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(checkpoint[blob:]))
	for i := range checkpoint {
		changed := []byte(checkpoint)
		changed[i] ^= 1
		now, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(string(changed[blob:])))
		if i >= blob && string(now) == string(signature) {
			continue
		}
		_, err := note.Open(changed, note.VerifierList(key))
		must(err != nil, fmt.Sprint("checkpoint with byte ", i, " changed was accepted"))
		changes++
	}

	entry := tlog.RecordHash([]byte(read(os.Args[4])))
	rows := strings.Split(read(os.Args[5]), "\n")
	must(rows[0] == "c2sp.org/tlog-proof@v1", rows[0])
	index, err := strconv.ParseInt(strings.TrimPrefix(rows[1], "index "), 10, 64)
	must(err == nil, rows[1])
	inclusion := hashes(rows[2:])
	must(tlog.CheckRecord(inclusion, tree.N, tree.Hash, index, entry) == nil, "inclusion")
	must(tlog.CheckRecord(inclusion, tree.N, tree.Hash, index^1, entry) != nil, "another index was accepted")
	changes += eachChange(inclusion, func(p []tlog.Hash) error {
		return tlog.CheckRecord(p, tree.N, tree.Hash, index, entry)
	})

	rows = strings.Split(read(os.Args[6]), "\n")
	must(rows[0] == fmt.Sprint("old ", old.N), rows[0])
	consistency := hashes(rows[1:])
	must(tlog.CheckTree(consistency, tree.N, tree.Hash, old.N, old.Hash) == nil, "consistency")
	changes += eachChange(consistency, func(p []tlog.Hash) error {
		return tlog.CheckTree(p, tree.N, tree.Hash, old.N, old.Hash)
	})

	// The tile reader checks every tile it reads against the root; Go's own proof from our tiles is ours.
	reader := tlog.TileHashReader(tree, tiles{os.Args[7]})
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	must(err == nil && fmt.Sprint(proof) == fmt.Sprint(tlog.RecordProof(inclusion)), "proof from tiles")
	fmt.Println("checkpoint, inclusion, consistency and tiles accepted,", changes, "changes refused")
}
