/* What any program must at least pay: system calls with prepared bytes, looking at as little as
 * possible of what comes back. Prints wall ns, CPU ns and a count.
 *
 *   floor dump 0|12 TYPE           the whole table, received and not looked at; counts datagrams
 *   floor routes TYPE FLAGS PROTOCOL FIRST COUNT BATCH
 *                                  routes to 10.0.0.0 + FIRST.., BATCH in a datagram of which the last
 *                                  is acked; counts refusals
 */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int open_socket(int protocol)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol), one = 1, size = 1 << 20;
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own))
		exit(2);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return fd;
}

static char buffer[32768];

static long dump(int protocol, int type)
{
	struct { struct nlmsghdr header; struct rtmsg body; } ask = {
		{ protocol ? 20 : 28, type, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 }, { 0 } };
	int fd = open_socket(protocol);
	long datagrams = 0;
	if (send(fd, &ask, ask.header.nlmsg_len, 0) < 0)
		exit(3);
	for (;;) {
		ssize_t got = recv(fd, buffer, sizeof buffer, 0);
		if (got < (ssize_t)sizeof(struct nlmsghdr))
			exit(4);
		/* Of these dumps the end comes in a datagram of its own. */
		if (((struct nlmsghdr *)buffer)->nlmsg_type == NLMSG_DONE)
			return datagrams;
		datagrams++;
	}
}

struct route {
	struct nlmsghdr header;
	struct rtmsg body;
	struct { struct rtattr head; unsigned value; } to, out;
};

static long routes(int type, int flags, int protocol, unsigned first, unsigned count, unsigned batch)
{
	int fd = open_socket(NETLINK_ROUTE);
	long refusals = 0;
	struct route *requests = calloc(batch, sizeof *requests);
	for (unsigned begin = 0; begin < count; begin += batch) {
		unsigned many = count - begin < batch ? count - begin : batch;
		for (unsigned i = 0; i < many; i++) {
			int ack = i + 1 == many ? NLM_F_ACK : 0;
			requests[i] = (struct route){
				{ sizeof *requests, type, NLM_F_REQUEST | flags | ack, begin + i + 1, 0 },
				{ AF_INET, 32, 0, 0, RT_TABLE_MAIN, protocol, RT_SCOPE_LINK, RTN_UNICAST, 0 },
				{ { 8, RTA_DST }, htonl(0x0a000000 + first + begin + i) },
				{ { 8, RTA_OIF }, 1 } };
		}
		if (send(fd, requests, many * sizeof *requests, 0) < 0)
			exit(3);
		for (;;) {
			ssize_t got = recv(fd, buffer, sizeof buffer, 0);
			struct nlmsghdr *answer = (struct nlmsghdr *)buffer;
			if (got < 20)
				exit(4);
			refusals += *(int *)NLMSG_DATA(answer) != 0;
			if (answer->nlmsg_seq == begin + many)
				break;
		}
	}
	return refusals;
}

int main(int count, char **words)
{
	long long wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	long result;
	if (count == 4 && !strcmp(words[1], "dump"))
		result = dump(atoi(words[2]), atoi(words[3]));
	else if (count == 8)
		result = routes(atoi(words[2]), atoi(words[3]), atoi(words[4]), atoi(words[5]), atoi(words[6]),
				atoi(words[7]));
	else
		return 1;
	printf("%lld %lld %ld\n", now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu, result);
	return 0;
}
