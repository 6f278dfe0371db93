/* What a program written on libnetfilter_conntrack and libmnl's sockets pays. Prints wall ns, CPU ns
 * and a count.
 *
 *   peer list                      the table, each entry decoded
 *   peer drain BYTES               says "ready"; on a line of input reads all that is queued
 *   peer follow BYTES              says "ready"; reads events until a line of input, and the rest
 */
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long count;
static volatile unsigned sum;

static long long now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int listed(enum nf_conntrack_msg_type type, struct nf_conntrack *flow, void *data)
{
	(void)type, (void)data;
	count++;
	sum += nfct_get_attr_u16(flow, ATTR_ORIG_PORT_SRC);
	return NFCT_CB_CONTINUE;
}

static void list(void)
{
	unsigned family = AF_UNSPEC;
	struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
	if (!handle)
		exit(2);
	nfct_callback_register(handle, NFCT_T_ALL, listed, NULL);
	if (nfct_query(handle, NFCT_Q_DUMP, &family))
		exit(3);
	nfct_close(handle);
}

static char buffer[65536];
static struct nf_conntrack *flow;

/* One datagram; 0 if there is none. */
static int one(int fd, int timeout)
{
	struct pollfd wait = { fd, POLLIN, 0 };
	ssize_t got;
	if (poll(&wait, 1, timeout) < 1)
		return 0;
	got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
	if (got < 0)
		return errno == ENOBUFS || errno == EINTR;
	int left = got;
	for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, left);
	     message = NLMSG_NEXT(message, left)) {
		if (nfct_nlmsg_parse(message, flow) < 0)
			continue;
		count++;
		sum += nfct_get_attr_u16(flow, ATTR_ORIG_PORT_SRC);
	}
	return 1;
}

int main(int words, char **word)
{
	long long wall, cpu;
	char line[8];
	if (words == 2) {
		wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		list();
	} else {
		struct nfct_handle *handle = nfct_open(
			CONNTRACK, NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_UPDATE | NF_NETLINK_CONNTRACK_DESTROY);
		int size = atoi(word[2]), fd;
		if (!handle || !(flow = nfct_new()))
			return 2;
		fd = nfct_fd(handle);
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		puts("ready");
		fflush(stdout);
		if (!strcmp(word[1], "drain") && read(0, line, sizeof line) < 1)
			return 3;
		wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		if (!strcmp(word[1], "follow")) {
			struct pollfd input = { 0, POLLIN, 0 };
			for (long turn = 0; turn % 64 || poll(&input, 1, 0) < 1; turn++)
				one(fd, 10);
		}
		while (one(fd, 0))
			;
	}
	printf("%lld %lld %ld\n", now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu, count);
	return 0;
}
