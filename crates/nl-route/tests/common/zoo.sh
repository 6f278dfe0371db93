# Each line alone: what a kernel does not know is skipped.
ip link set lo up 2>/dev/null || true
ip link add v0 type veth peer name v1 2>/dev/null || true
ip link add v2 type veth peer name v3 2>/dev/null || true
ip addr add 10.0.0.1/24 dev v0 2>/dev/null || true
ip addr add 10.0.1.1/24 dev v2 2>/dev/null || true
ip addr add 2001:db8::1/64 dev v0 nodad 2>/dev/null || true
ip link set v0 up 2>/dev/null || true
ip link set v1 up 2>/dev/null || true
ip link set v2 up 2>/dev/null || true
ip link set v3 up 2>/dev/null || true
ip route add 10.1.0.0/16 via 10.0.0.2 2>/dev/null || true
ip route add 10.2.0.0/16 via 10.0.0.2 metric 50 proto static src 10.0.0.1 2>/dev/null || true
ip route add 10.3.0.0/16 via 192.168.7.1 dev v0 onlink 2>/dev/null || true
ip route add 10.4.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.1.2 weight 200 2>/dev/null || true
ip route add 10.5.0.0/16 nexthop dev v0 nexthop dev v2 2>/dev/null || true
ip route add 10.6.0.0/16 via 10.0.0.2 mtu lock 1400 advmss 1300 window 1000 rtt 1200ms rttvar 10ms ssthresh 5 cwnd lock 7 initcwnd 10 initrwnd 11 hoplimit 33 quickack 1 rto_min 300ms features ecn congctl lock cubic reordering 4 fastopen_no_cookie 1 2>/dev/null || true
ip route add 10.6.1.0/24 via 10.0.0.2 congctl reno rtt 3s rto_min 5s rttvar 1001ms mtu 1000 2>/dev/null || true
ip route add 10.7.0.0/16 dev v0 table 1000 2>/dev/null || true
ip route add 10.7.0.0/16 dev v0 table 100 2>/dev/null || true
ip route add blackhole 10.8.0.0/16 2>/dev/null || true
ip route add unreachable 10.9.0.0/16 metric 5 2>/dev/null || true
ip route add prohibit 10.10.0.0/16 2>/dev/null || true
ip route add throw 10.11.0.0/16 2>/dev/null || true
ip route add local 10.12.0.0/16 dev lo 2>/dev/null || true
ip route add broadcast 10.13.0.0/16 dev v0 2>/dev/null || true
ip route add multicast 239.0.0.0/8 dev v0 2>/dev/null || true
ip route add 10.14.0.0/16 dev v0 scope host 2>/dev/null || true
ip route add 10.15.0.0/16 dev v0 tos 0x10 2>/dev/null || true
ip route add 10.16.0.0/16 via 10.0.0.2 realms 5/7 2>/dev/null || true
ip route add 10.17.0.0/16 via 10.0.0.2 realms 9 2>/dev/null || true
ip route add 10.18.0.0/16 via inet6 fe80::1 dev v0 2>/dev/null || true
ip route add 10.19.0.0/16 nexthop via inet6 fe80::1 dev v0 weight 2 nexthop via 10.0.1.2 2>/dev/null || true
ip route add 10.20.0.0/16 nexthop via 10.0.0.2 realms 3 nexthop via 10.0.1.2 onlink dev v2 2>/dev/null || true
ip route add default via 10.0.0.2 proto dhcp metric 100 2>/dev/null || true
ip route add 10.21.0.0/16 via 10.0.0.2 proto 77 2>/dev/null || true
ip route add 10.22.0.0/16 via 10.0.0.2 proto bgp 2>/dev/null || true
ip route add 10.23.0.0/16 via 10.0.0.2 ttl-propagate enabled 2>/dev/null || true
ip nexthop add id 1 via 10.0.0.2 dev v0 2>/dev/null || true
ip nexthop add id 2 via 10.0.1.2 dev v2 2>/dev/null || true
ip nexthop add id 10 group 1,5/2 2>/dev/null || true
ip nexthop add id 20 via 2001:db8::5 dev v0 2>/dev/null || true
ip route add 10.24.0.0/16 nhid 1 2>/dev/null || true
ip route add 10.25.0.0/16 nhid 10 2>/dev/null || true
ip -6 route add 2001:db8:1::/48 via 2001:db8::2 2>/dev/null || true
ip -6 route add 2001:db8:2::/48 via 2001:db8::2 metric 5 pref high 2>/dev/null || true
ip -6 route add 2001:db8:3::/48 dev v0 pref low expires 300 2>/dev/null || true
ip -6 route add 2001:db8:4::/48 nexthop via 2001:db8::2 nexthop via 2001:db8::3 weight 5 2>/dev/null || true
ip -6 route add blackhole 2001:db8:5::/48 2>/dev/null || true
ip -6 route add unreachable 2001:db8:6::/48 2>/dev/null || true
ip -6 route add prohibit 2001:db8:7::/48 2>/dev/null || true
ip -6 route add throw 2001:db8:8::/48 2>/dev/null || true
ip -6 route add local 2001:db8:9::/48 dev lo 2>/dev/null || true
ip -6 route add anycast 2001:db8:a::1/128 dev v0 2>/dev/null || true
ip -6 route add default via fe80::5 dev v0 proto ra mtu 1400 2>/dev/null || true
ip -6 route add 2001:db8:b::/48 from 2001:db8:c::/48 dev v0 2>/dev/null || true
ip -6 route add 2001:db8:d::/48 nhid 20 2>/dev/null || true
ip -6 route add 2001:db8:e::/48 encap seg6 mode encap segs fc00::1,fc00::2 via 2001:db8::2 2>/dev/null || true
ip -6 route add 2001:db8:f::/48 encap seg6local action End dev v0 2>/dev/null || true
ip route add 10.26.0.0/16 encap mpls 100/200 via 10.0.0.2 2>/dev/null || true
ip link add br0 type bridge 2>/dev/null || true
ip link set v3 master br0 2>/dev/null || true
ip link add vx type vxlan id 5 local 10.0.0.1 dstport 4789 remote 10.0.0.9 2>/dev/null || true
ip link add mv link v0 type macvlan mode bridge 2>/dev/null || true
ip link set vx alias 'hello "x"' 2>/dev/null || true
ip link property add dev vx altname another-long-name-of-vxlan 2>/dev/null || true
ip addr add 10.9.9.1 peer 10.9.9.2/32 dev mv 2>/dev/null || true
ip addr add 10.9.8.1/24 broadcast + dev mv label mv:x valid_lft 100 preferred_lft 50 metric 77 2>/dev/null || true
ip link set v1 down 2>/dev/null || true
