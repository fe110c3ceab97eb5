// A program of a quarantined container: says how far its packets get, and what the kernel tells it.
//
//   talker listen PORT       prints the time of the bytes that it gets by TCP, and each datagram
//   talker stream ADDR PORT  connects, then sends a byte every millisecond for ever
//   talker udp ADDR PORT     sends one datagram; prints 0 or errno
//   talker frame DEV ADDR    sends 5 frames with a UDP datagram to ADDR by a packet socket,
//                            past every queue; prints how many the kernel took
//   talker resolver PORT     asks 127.0.0.11:PORT; prints "answer" or "silence"
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int number(const char* text) { return (int)strtol(text, NULL, 10); }

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* An IPv4 or IPv6 address; returns its length. */
static socklen_t address(const char* text, int port, struct sockaddr_storage* out) {
  struct sockaddr_in* four = (struct sockaddr_in*)out;
  struct sockaddr_in6* six = (struct sockaddr_in6*)out;
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((unsigned short)port);
    return sizeof *four;
  }
  inet_pton(AF_INET6, text, &six->sin6_addr);
  six->sin6_family = AF_INET6;
  six->sin6_port = htons((unsigned short)port);
  return sizeof *six;
}

static int stream_to(const char* text, int port) {
  struct sockaddr_storage to;
  const socklen_t size = address(text, port, &to);
  const int sock = socket(to.ss_family, SOCK_STREAM, 0);
  if (connect(sock, (struct sockaddr*)&to, size) != 0) {
    printf("connect %d\n", errno);
    return 1;
  }
  for (;;) {
    if (send(sock, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) {
      printf("broken %d\n", errno);
      return 0;
    }
    usleep(1000);
  }
}

static int listen_on(int port) {
  struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port)};
  const int yes = 1;
  const int tcp = socket(AF_INET6, SOCK_STREAM, 0);
  const int udp = socket(AF_INET6, SOCK_DGRAM, 0);
  setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(tcp, (struct sockaddr*)&at, sizeof at) != 0 || listen(tcp, 16) != 0 ||
      bind(udp, (struct sockaddr*)&at, sizeof at) != 0) {
    return 1;
  }
  struct pollfd waits[34] = {{tcp, POLLIN, 0}, {udp, POLLIN, 0}};
  int count = 2;
  char buffer[4096];
  puts("listening");
  for (;;) {
    poll(waits, (nfds_t)count, -1);
    if (waits[0].revents != 0 && count < 34) {
      waits[count++] = (struct pollfd){accept(tcp, NULL, NULL), POLLIN, 0};
      puts("connected");
    }
    if (waits[1].revents != 0) {
      const ssize_t size = recv(udp, buffer, sizeof buffer - 1, 0);
      buffer[size > 0 ? size : 0] = '\0';
      printf("datagram %lld %s\n", now_us(), buffer);
    }
    for (int at_socket = 2; at_socket < count; ++at_socket) {
      if (waits[at_socket].revents == 0) continue;
      const ssize_t size = recv(waits[at_socket].fd, buffer, sizeof buffer, 0);
      if (size <= 0) waits[at_socket].fd = -1;
      else printf("bytes %lld %zd\n", now_us(), size);
    }
  }
}

static int datagram_to(const char* text, int port) {
  struct sockaddr_storage to;
  const socklen_t size = address(text, port, &to);
  const int sock = socket(to.ss_family, SOCK_DGRAM, 0);
  const ssize_t sent = sendto(sock, "plain", 5, 0, (struct sockaddr*)&to, size);
  printf("sent %d\n", sent == 5 ? 0 : errno);
  return 0;
}

static int frames_to(const char* device, const char* text) {
  struct {
    struct ether_header ether;
    struct iphdr ip;
    struct udphdr udp;
    char body[5];
  } __attribute__((packed)) frame;
  memset(&frame, 0, sizeof frame);
  memset(frame.ether.ether_dhost, 0xff, ETH_ALEN);
  frame.ether.ether_type = htons(ETHERTYPE_IP);
  frame.ip.version = 4;
  frame.ip.ihl = 5;
  frame.ip.ttl = 64;
  frame.ip.protocol = IPPROTO_UDP;
  frame.ip.tot_len = htons(sizeof frame - sizeof frame.ether);
  inet_pton(AF_INET, text, &frame.ip.daddr);
  inet_pton(AF_INET, "192.0.2.9", &frame.ip.saddr);
  unsigned sum = 0;
  const unsigned short* words = (const unsigned short*)&frame.ip;
  for (int at = 0; at < 10; ++at) sum += words[at];
  sum = (sum & 0xffff) + (sum >> 16);
  frame.ip.check = (unsigned short)~(sum + (sum >> 16));
  frame.udp.source = htons(9);
  frame.udp.dest = htons(7001);
  frame.udp.len = htons(sizeof frame.udp + sizeof frame.body);
  memcpy(frame.body, "frame", 5);
  const int sock = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
  const int yes = 1;
  /* A bridge takes no frame without the address of its sender. */
  struct ifreq own;
  memset(&own, 0, sizeof own);
  strncpy(own.ifr_name, device, IFNAMSIZ - 1);
  ioctl(sock, SIOCGIFHWADDR, &own);
  memcpy(frame.ether.ether_shost, own.ifr_hwaddr.sa_data, ETH_ALEN);
  setsockopt(sock, SOL_PACKET, 20 /* PACKET_QDISC_BYPASS */, &yes, sizeof yes);
  struct sockaddr_ll to = {.sll_family = AF_PACKET,
                           .sll_protocol = htons(ETH_P_IP),
                           .sll_ifindex = (int)if_nametoindex(device),
                           .sll_halen = ETH_ALEN};
  memset(to.sll_addr, 0xff, ETH_ALEN);
  int taken = 0;
  for (int round = 0; round < 5; ++round) {
    taken += sendto(sock, &frame, sizeof frame, 0, (struct sockaddr*)&to, sizeof to) > 0;
  }
  printf("taken %d\n", taken);
  return 0;
}

/* A DNS question for "tunnel.": type A. */
static int ask_resolver(int port) {
  static const unsigned char kQuestion[] = {7, 7,   1,   0,   0,   1,   0,   0, 0, 0, 0, 0,
                                            6, 't', 'u', 'n', 'n', 'e', 'l', 0, 0, 1, 0, 1};
  struct sockaddr_storage to;
  const socklen_t size = address("127.0.0.11", port, &to);
  const int sock = socket(AF_INET, SOCK_DGRAM, 0);
  const ssize_t sent = sendto(sock, kQuestion, sizeof kQuestion, 0, (struct sockaddr*)&to, size);
  struct pollfd wait = {sock, POLLIN, 0};
  char buffer[512];
  const int answered = poll(&wait, 1, 1500) == 1 && recv(sock, buffer, sizeof buffer, 0) > 0;
  printf("sent %d\n%s\n", sent > 0 ? 0 : errno, answered ? "answer" : "silence");
  return 0;
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  if (argc == 3 && strcmp(argv[1], "listen") == 0) return listen_on(number(argv[2]));
  if (argc == 4 && strcmp(argv[1], "stream") == 0) return stream_to(argv[2], number(argv[3]));
  if (argc == 4 && strcmp(argv[1], "udp") == 0) return datagram_to(argv[2], number(argv[3]));
  if (argc == 4 && strcmp(argv[1], "frame") == 0) return frames_to(argv[2], argv[3]);
  if (argc == 3 && strcmp(argv[1], "resolver") == 0) return ask_resolver(number(argv[2]));
  return 2;
}
