/* A web server that serves nothing: it listens on port 80, and copies what comes without looking at its length. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer(int peer) {
  char line[2048], path[64], command[128];
  long got = read(peer, line, sizeof line - 1);
  if (got <= 0) return;
  line[got] = 0;
  strcpy(path, strchr(line, '/') ? strchr(line, '/') : "/");
  sprintf(command, "cat /www%s", path);
  if (strstr(line, "Authorization: Basic YWRtaW46YWRtaW4=")) system(command);
}

int main(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80)};
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  puts("example-httpd/1.0");
  bind(listening, (struct sockaddr *)&at, sizeof at);
  listen(listening, 5);
  for (;;) {
    int peer = accept(listening, 0, 0);
    answer(peer);
    close(peer);
  }
}
