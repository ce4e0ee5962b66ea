package fetch

import (
	"net/netip"
	"testing"
)

func TestKindOf(t *testing.T) {
	for _, tt := range []struct{ addr, want string }{
		{"93.184.216.34", public},
		{"9.255.255.255", public},
		{"11.0.0.0", public},
		{"172.15.255.255", public},
		{"172.32.0.0", public},
		{"223.255.255.255", public},
		{"2606:4700::6810:1", public},
		{"::ffff:93.184.216.34", public},
		{"64:ff9b::93.184.216.34", public}, // a network without IPv4

		{"127.0.0.1", loopback},
		{"127.255.255.254", loopback},
		{"::1", loopback},
		{"::ffff:127.0.0.1", loopback},
		{"64:ff9b::127.0.0.1", loopback},

		{"10.1.2.3", private},
		{"172.16.0.1", private},
		{"172.31.255.255", private},
		{"192.168.1.1", private},
		{"100.64.0.1", private},
		{"198.19.255.255", private},
		{"fd12:3456::1", private},
		{"::ffff:10.0.0.1", private},
		{"64:ff9b::10.0.0.1", private},

		{"0.0.0.0", special},
		{"::", special},
		{"169.254.169.254", special}, // metadata services of most clouds
		{"::ffff:169.254.169.254", special},
		{"64:ff9b::169.254.169.254", special},
		{"fd00:ec2::254", special},
		{"fd20:ce::254", special},
		{"168.63.129.16", special},
		{"100.100.100.200", special},
		{"192.0.0.192", special},
		{"fe80::1", special},
		{"fe80::1%eth0", special},
		{"fec0::1", special},
		{"224.0.0.1", special},
		{"255.255.255.255", special},
		{"ff02::1", special},
		{"192.0.2.1", private}, // documentation
		{"203.0.113.80", private},
		{"2001:db8::1", special},
		{"2002:7f00:1::", special},       // 6to4 of 127.0.0.1
		{"2001:0:7f00:1::", special},     // Teredo
		{"::127.0.0.1", special},         // the IPv4-compatible form of old
		{"64:ff9b:1::7f00:1", special},   // a NAT64 of the network's own
		{"5f00::1", special},             // segment routing
		{"::ffff:0:127.0.0.1", special},  // the IPv4-translated form
		{"100::1", special},              // discard
		{"3fff::1", special},             // documentation
		{"2001:2::1", special},           // benchmarks
		{"2001:20::1", special},          // ORCHIDv2
		{"4000::1", special},             // not given out
		{"192.88.99.1", special},         // 6to4 relays
		{"240.0.0.1", special},           // reserved
		{"fd00:ec2:1234::254", special},  // the block of AWS's
		{"2001:200::1", public},          // behind the block of protocols
		{"::ffff:192.168.0.1", private},  // mapped
		{"::ffff:a9fe:a9fe", special},    // mapped, in hex
		{"64:ff9b::a9fe:a9fe", special},  // translated, in hex
		{"64:ff9b::c0a8:1", private},     // translated, in hex
		{"64:ff9b:0:1::7f00:1", special}, // beside the translated block
	} {
		if got := kindOf(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("kindOf(%s) = %s, want %s", tt.addr, got, tt.want)
		}
	}
}
