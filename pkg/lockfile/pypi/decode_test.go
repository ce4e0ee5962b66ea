package pypi_test

import (
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

func utf16Bytes(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func utf32Bytes(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, c := range s {
		b = order.AppendUint32(b, uint32(c))
	}
	return string(b)
}

func TestRequirementsEncodings(t *testing.T) {
	const file = "# \u00e9 \U0001f600\nevil==6.6.6\n"
	const want = "2 registry evil 6.6.6\n"
	little, big := binary.LittleEndian, binary.BigEndian
	for _, tt := range []struct{ in, want string }{
		{file, want},
		{"\ufeff" + file, want},
		{"\xff\xfe" + utf16Bytes(little, file), want},
		{"\xfe\xff" + utf16Bytes(big, file), want},
		{"\xff\xfe\x00\x00" + utf32Bytes(little, file), want},
		{"\x00\x00\xfe\xff" + utf32Bytes(big, file), want},
		{"\xff\xfe\xff\xfe" + utf16Bytes(little, file), want + "! line 1: encoding: two byte order marks\n"},
		{"\xff\xfe\xfe\xff" + utf16Bytes(big, file), want + "! line 1: encoding: two byte order marks\n"},
		{"\xff\xfe" + utf16Bytes(little, file) + "x", want + "! encoding: not UTF-16 as its byte order mark says\n"},
		{"\xff\xfe" + utf16Bytes(little, file+"#") + "\x00\xdc", want + "! encoding: not UTF-16 as its byte order mark says\n"},
		{"\xff\xfe\x00\x00" + utf32Bytes(little, file+"#") + "\x00\x00\x11\x00", want + "! encoding: not UTF-32 as its byte order mark says\n"},

		{"# -*- coding: utf-8 -*-\nevil==6.6.6\n", want},
		{"# vim: set fileencoding=UTF_8 :\nevil==6.6.6\n", want},
		{"# coding: latin-1 \xe9\nevil==6.6.6\n", want},
		{"# coding: latin-1\xc3\xa9\nevil==6.6.6\n", want},
		{"# coding: cp1252\nevil==6.6.6\n", want},
		{"#\n# coding=iso-8859-1\n# \x85evil==6.6.6", "3 registry evil 6.6.6\n"}, // a line break in Latin-1
		{"#\n#\n# coding: utf-7\nevil==6.6.6", "4 registry evil 6.6.6\n"},        // on the third line it is a comment
		{"# coding: utf-7\nevil==6.6.6\n", want + "! line 1: encoding: the encoding \"utf-7\" is not read: taken for UTF-8\n"},
		{"# coding: cp1252 \x80\nevil==6.6.6\n", want + "! line 1: encoding: the encoding \"cp1252\" is not read: taken for UTF-8\n! line 1: encoding: bytes that are not UTF-8\n"},
		{"good==1\n# \xe9\nevil==6.6.6\n", "1 registry good 1\n3 registry evil 6.6.6\n! line 2: encoding: bytes that are not UTF-8\n"},
		{"# \x85evil==6.6.6\n", "1 registry evil 6.6.6\n! line 1: encoding: bytes that are not UTF-8\n"},
		{"# \x00\nevil==6.6.6\n", want + "! line 1: encoding: a NUL byte\n"},
		{"good==1\nevil\x00==6.6.6", "1 registry good 1\n2 registry evil\x00 6.6.6\n! line 2: encoding: a NUL byte\n! line 2: name: \"evil\\x00\" is no name of a package\n"},
	} {
		check(t, pypi.ParseRequirements, tt.in, tt.want)
	}
}
