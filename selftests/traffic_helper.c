// SPDX-License-Identifier: GPL-2.0-only
/*
 * traffic_helper DATAGRAMS SEGMENTS: sends UDP datagrams and writes to a TCP connection over the
 * loopback, reads it all, and fails if anything was lost.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char message[] = "a message of some bytes";

/* A socket on a free port of 127.0.0.1, and its address. */
static int bound_socket(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type, 0);

	*addr = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, sizeof(*addr)) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		err(1, "socket on 127.0.0.1");
	return fd;
}

static void exchange(int from, int to)
{
	char buf[sizeof(message)];

	if (send(from, message, sizeof(message), 0) != sizeof(message))
		err(1, "send");
	if (recv(to, buf, sizeof(buf), MSG_WAITALL) != sizeof(message))
		err(1, "recv");
}

static void udp(int count)
{
	struct sockaddr_in addr;
	int to = bound_socket(SOCK_DGRAM, &addr);
	int from = socket(AF_INET, SOCK_DGRAM, 0);

	if (connect(from, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect");
	while (count--)
		exchange(from, to);
	close(from);
	close(to);
}

static void tcp(int count)
{
	struct sockaddr_in addr;
	int listener = bound_socket(SOCK_STREAM, &addr);
	int from = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1, to;

	if (listen(listener, 1) || connect(from, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connect");
	to = accept(listener, NULL, NULL);
	if (to < 0 || setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "accept");
	while (count--)
		exchange(from, to);
	close(from);
	close(to);
	close(listener);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: traffic_helper DATAGRAMS SEGMENTS");
	udp(atoi(argv[1]));
	tcp(atoi(argv[2]));
	printf("sent and received %s UDP datagrams and %s TCP messages\n", argv[1], argv[2]);
	return 0;
}
