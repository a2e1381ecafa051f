/* A pretended NIC under the unmodified ethtool: preloaded, it answers SIOCETHTOOL for the devices that have a file in
 * PRETENDED_NICS and passes everything else through. Strict as the imitated driver, by profile (`nics` below); written
 * from the drivers' sources as facts, never tried against hardware.
 *
 * A device's file is `struct device` and then `room` slots. Every change is appended to FILE.log, so that a test can
 * replay what the NIC held in between. pretended.py makes and reads these files.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct device {
	char profile[16];
	__u32 room;  /* slots */
	__u32 rings; /* RX queues */
	__s32 left;  /* rules that it still takes before it answers `error`; -1: all */
	__s32 error;
};

struct slot {
	__u32 used;
	struct ethtool_rx_flow_spec fs;
};

struct change {
	__u32 inserted; /* 0: removed */
	struct ethtool_rx_flow_spec fs;
};

enum shape { ANY_SHAPE, ONE_OF_A_TYPE, ONE_OF_ALL };

struct nic {
	const char *name;
	int chooses;        /* the driver chooses the slot and takes none that is asked for */
	int partial;        /* masks of addresses and ports need not be whole */
	enum shape shape;   /* whether all rules must look at the same fields */
	int protocol;       /* ip4 and ip6 may name a protocol */
	int (*combination)(const struct ethtool_rx_flow_spec *);
	__u32 types;        /* 1 << flow type */
};

#define T(name) (1u << (name))
#define L4 (T(TCP_V4_FLOW) | T(UDP_V4_FLOW) | T(TCP_V6_FLOW) | T(UDP_V6_FLOW))
#define L3 (T(IPV4_USER_FLOW) | T(IPV6_USER_FLOW))
#define SCTP (T(SCTP_V4_FLOW) | T(SCTP_V6_FLOW))

static int efct(const struct ethtool_rx_flow_spec *);

static const struct nic nics[] = {
	{"sfc", 1, 0, ANY_SHAPE, 1, NULL, L4 | L3 | T(ETHER_FLOW)},
	{"efct", 1, 0, ANY_SHAPE, 1, efct, L4 | L3 | T(ETHER_FLOW)},
	{"mlx5", 0, 1, ANY_SHAPE, 1, NULL, L4 | L3 | T(ETHER_FLOW)},
	{"ixgbe", 0, 0, ONE_OF_ALL, 1, NULL, T(TCP_V4_FLOW) | T(UDP_V4_FLOW) | T(SCTP_V4_FLOW) | T(IPV4_USER_FLOW)},
	{"i40e", 0, 0, ONE_OF_A_TYPE, 0, NULL, L4 | L3 | SCTP},
	{"ice", 0, 0, ANY_SHAPE, 0, NULL, L4 | L3 | SCTP | T(ETHER_FLOW)},
	{"virtio_net", 0, 0, ANY_SHAPE, 0, NULL, 0}, /* the device has no such filters */
};

/* What a rule looks at: for each field how many bytes, and whether all of its bits. */
struct field {
	const __u8 *mask;
	int size;
};

static int none(const void *mask, int size)
{
	const __u8 *byte = mask;

	for (int n = 0; n < size; n++)
		if (byte[n])
			return 0;
	return 1;
}

static int whole(const void *mask, int size)
{
	const __u8 *byte = mask;

	for (int n = 0; n < size; n++)
		if (byte[n] != 0xff)
			return 0;
	return 1;
}

static __u32 type_of(const struct ethtool_rx_flow_spec *fs)
{
	return fs->flow_type & ~(FLOW_EXT | FLOW_MAC_EXT | FLOW_RSS);
}

/* The fields that a rule may look at. Those that no driver here takes are refused: -EINVAL. */
static int fields_of(const struct nic *nic, const struct ethtool_rx_flow_spec *fs, struct field *out)
{
	const union ethtool_flow_union *m = &fs->m_u;
	int count = 0;
#define FIELD(where) (out[count++] = (struct field){(const __u8 *)&(where), sizeof(where)})
	switch (type_of(fs)) {
	case TCP_V4_FLOW: case UDP_V4_FLOW: case SCTP_V4_FLOW:
		if (m->tcp_ip4_spec.tos)
			return -EINVAL;
		FIELD(m->tcp_ip4_spec.ip4src), FIELD(m->tcp_ip4_spec.ip4dst);
		FIELD(m->tcp_ip4_spec.psrc), FIELD(m->tcp_ip4_spec.pdst);
		return count;
	case TCP_V6_FLOW: case UDP_V6_FLOW: case SCTP_V6_FLOW:
		if (m->tcp_ip6_spec.tclass)
			return -EINVAL;
		FIELD(m->tcp_ip6_spec.ip6src), FIELD(m->tcp_ip6_spec.ip6dst);
		FIELD(m->tcp_ip6_spec.psrc), FIELD(m->tcp_ip6_spec.pdst);
		return count;
	case IPV4_USER_FLOW:
		if (m->usr_ip4_spec.l4_4_bytes || m->usr_ip4_spec.tos || m->usr_ip4_spec.ip_ver ||
		    fs->h_u.usr_ip4_spec.ip_ver != ETH_RX_NFC_IP4 || (m->usr_ip4_spec.proto && !nic->protocol))
			return -EINVAL;
		FIELD(m->usr_ip4_spec.ip4src), FIELD(m->usr_ip4_spec.ip4dst), FIELD(m->usr_ip4_spec.proto);
		return count;
	case IPV6_USER_FLOW:
		if (m->usr_ip6_spec.l4_4_bytes || m->usr_ip6_spec.tclass || (m->usr_ip6_spec.l4_proto && !nic->protocol))
			return -EINVAL;
		FIELD(m->usr_ip6_spec.ip6src), FIELD(m->usr_ip6_spec.ip6dst), FIELD(m->usr_ip6_spec.l4_proto);
		return count;
	case ETHER_FLOW:
		FIELD(m->ether_spec.h_dest), FIELD(m->ether_spec.h_source), FIELD(m->ether_spec.h_proto);
		return count;
	}
	return -EINVAL;
}

/* X3: five-tuples, protocol with the local side, an ethertype, a protocol, a MAC. */
static int efct(const struct ethtool_rx_flow_spec *fs)
{
	const struct nic open = {.protocol = 1};
	struct field f[4];
	int count = fields_of(&open, fs, f), said = 0;

	for (int n = 0; n < count; n++)
		said |= !none(f[n].mask, f[n].size) << n;
	if (count == 4)
		return said == 0xf || said == 0xa ? 0 : -EPROTONOSUPPORT;
	if (type_of(fs) == ETHER_FLOW)
		return said == 1 || said == 4 ? 0 : -EPROTONOSUPPORT;
	return said == 4 ? 0 : -EPROTONOSUPPORT;
}

static int same_shape(const struct nic *nic, const struct ethtool_rx_flow_spec *a, const struct ethtool_rx_flow_spec *b)
{
	if (nic->shape == ONE_OF_A_TYPE && type_of(a) != type_of(b))
		return 1;
	return !memcmp(&a->m_u, &b->m_u, sizeof a->m_u) && !memcmp(&a->m_ext, &b->m_ext, sizeof a->m_ext);
}

static int allowed(const struct nic *nic, const struct device *device, const struct ethtool_rx_flow_spec *fs)
{
	struct field f[4];
	int count, said = 0;

	if (type_of(fs) > 31 || !(nic->types & T(type_of(fs))))
		return nic->chooses ? -EINVAL : -EOPNOTSUPP;
	if (fs->flow_type & (FLOW_MAC_EXT | FLOW_RSS))
		return -EOPNOTSUPP;
	if (fs->ring_cookie != RX_CLS_FLOW_DISC && fs->ring_cookie >= device->rings)
		return -EINVAL;
	if (fs->flow_type & FLOW_EXT) /* the VLAN's number, whole, and nothing else of it */
		if (fs->m_ext.vlan_etype || fs->m_ext.data[0] || fs->m_ext.data[1] ||
		    (fs->m_ext.vlan_tci != __builtin_bswap16(0xfff) && fs->m_ext.vlan_tci))
			return -EINVAL;
	count = fields_of(nic, fs, f);
	if (count < 0)
		return count;
	for (int n = 0; n < count; n++) {
		int multicast = type_of(fs) == ETHER_FLOW && n == 0 && nic->chooses && !nic->combination && f[n].mask[0] == 1 && none(f[n].mask + 1, 5);

		said |= !none(f[n].mask, f[n].size);
		if (!none(f[n].mask, f[n].size) && !whole(f[n].mask, f[n].size) && !multicast)
			if (!nic->partial || type_of(fs) == ETHER_FLOW || f[n].size == 1)
				return -EINVAL;
	}
	if (type_of(fs) == ETHER_FLOW && !said)
		return -EINVAL;
	return nic->combination ? nic->combination(fs) : 0;
}

static int same_match(const struct ethtool_rx_flow_spec *a, const struct ethtool_rx_flow_spec *b)
{
	return a->flow_type == b->flow_type && !memcmp(&a->h_u, &b->h_u, sizeof a->h_u) &&
	       !memcmp(&a->h_ext, &b->h_ext, sizeof a->h_ext) && !memcmp(&a->m_u, &b->m_u, sizeof a->m_u) &&
	       !memcmp(&a->m_ext, &b->m_ext, sizeof a->m_ext);
}

static void noted(const char *path, __u32 inserted, const struct ethtool_rx_flow_spec *fs)
{
	struct change change = {.inserted = inserted, .fs = *fs};
	char name[4096];
	int fd;

	snprintf(name, sizeof name, "%s.log", path);
	fd = open(name, O_WRONLY | O_APPEND | O_CREAT, 0600);
	if (fd < 0 || write(fd, &change, sizeof change) != sizeof change)
		abort();
	close(fd);
}

static int insert(const struct nic *nic, struct device *device, struct slot *slots, struct ethtool_rxnfc *nfc)
{
	struct ethtool_rx_flow_spec *fs = &nfc->fs;
	__u32 at = fs->location;
	int refused;

	if (nic->chooses && at != RX_CLS_LOC_ANY)
		return -EINVAL;
	if (!nic->chooses && at >= device->room)
		return at & RX_CLS_LOC_SPECIAL ? -EINVAL : -ENOSPC;
	refused = allowed(nic, device, fs);
	if (refused)
		return refused;
	for (__u32 n = 0; nic->shape && n < device->room; n++)
		if (slots[n].used && n != at && !same_shape(nic, &slots[n].fs, fs))
			return -EOPNOTSUPP;
	if (!device->left)
		return -device->error;
	if (nic->chooses) { /* what looks at the same is replaced; else the lowest free slot */
		__u32 free = device->room;

		for (at = 0; at < device->room && !(slots[at].used && same_match(&slots[at].fs, fs)); at++)
			if (!slots[at].used && free == device->room)
				free = at;
		if (at == device->room)
			at = free;
		if (at == device->room)
			return -EBUSY;
	}
	if (device->left > 0)
		device->left--;
	fs->location = at;
	slots[at] = (struct slot){1, *fs};
	return 1;
}

static int answered(const char *path, struct device *device, struct slot *slots, struct ethtool_rxnfc *nfc)
{
	const struct nic *nic = nics;
	const __u32 special = nfc->cmd == ETHTOOL_GRXCLSRLCNT ? RX_CLS_LOC_SPECIAL : 0;
	__u32 used = 0, at = nfc->fs.location, asked = nfc->rule_cnt;
	int done;

	while (strncmp(nic->name, device->profile, sizeof device->profile))
		if (++nic == nics + sizeof nics / sizeof *nics)
			abort();
	for (__u32 n = 0; n < device->room; n++)
		used += slots[n].used;
	if (!nic->types)
		return -EOPNOTSUPP;
	switch (nfc->cmd) {
	case ETHTOOL_GRXRINGS:
		nfc->data = device->rings;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		nfc->rule_cnt = used;
		nfc->data = device->room | (nic->chooses ? special : 0);
		return 0;
	case ETHTOOL_GRXCLSRLALL:
		if (asked < used)
			return -EMSGSIZE;
		nfc->data = device->room;
		nfc->rule_cnt = 0;
		for (__u32 n = 0; n < device->room; n++)
			if (slots[n].used)
				nfc->rule_locs[nfc->rule_cnt++] = n;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		if (at >= device->room || !slots[at].used)
			return -ENOENT;
		nfc->fs = slots[at].fs;
		return 0;
	case ETHTOOL_SRXCLSRLDEL:
		if (at >= device->room || !slots[at].used)
			return -ENOENT;
		slots[at].used = 0;
		noted(path, 0, &slots[at].fs);
		return 0;
	case ETHTOOL_SRXCLSRLINS:
		done = insert(nic, device, slots, nfc);
		if (done > 0)
			noted(path, 1, &nfc->fs);
		return done < 0 ? done : 0;
	}
	return -EOPNOTSUPP;
}

/* The answer to one command about one of our devices; 1 when it is none of ours. */
static int pretended(const struct ifreq *ifr)
{
	const char *folder = getenv("PRETENDED_NICS");
	struct device *device;
	struct stat size;
	char path[4096];
	int fd, status;

	if (!folder || strchr(ifr->ifr_name, '/'))
		return 1;
	snprintf(path, sizeof path, "%s/%.*s", folder, IFNAMSIZ, ifr->ifr_name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return 1;
	if (flock(fd, LOCK_EX) || fstat(fd, &size))
		abort();
	device = mmap(NULL, size.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (device == MAP_FAILED || (size_t)size.st_size < sizeof *device + device->room * sizeof(struct slot))
		abort();
	status = answered(path, device, (struct slot *)(device + 1), (struct ethtool_rxnfc *)ifr->ifr_data);
	munmap(device, size.st_size);
	close(fd);
	return status;
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	va_list words;
	void *argument;
	int status;

	va_start(words, request);
	argument = va_arg(words, void *);
	va_end(words);
	status = request == SIOCETHTOOL ? pretended(argument) : 1;
	if (status == 1) {
		if (!real)
			real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
		return real(fd, request, argument);
	}
	if (!status)
		return 0;
	errno = -status;
	return -1;
}
