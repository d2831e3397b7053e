/* starttls.c - what comes before and after the handshake with a server of mail. */
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct mail *mail_protocol(const char *name)
{
    static const struct mail protocols[] = {
        {"smtp", "220 ", "EHLO load.test\r\n", "250 ", "STARTTLS\r\n", "220 ", "QUIT\r\n", "221 "},
        {"imap", "* OK ", NULL, NULL, "a STARTTLS\r\n", "a OK ", "b LOGOUT\r\n", "* BYE "},
    };
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (strcmp(name, protocols[i].name) == 0)
            return &protocols[i];
    return NULL;
}

/* Reads lines up to one that begins like this. What follows a line comes only when asked for. */
static bool read_until(int fd, const char *beginning)
{
    char line[1024];
    for (size_t have = 0; have < sizeof(line) - 1;) {
        if (recv(fd, line + have, 1, 0) != 1)
            return false;
        if (line[have++] != '\n')
            continue;
        if (strncmp(line, beginning, strlen(beginning)) == 0)
            return true;
        have = 0;
    }
    return false;
}

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

bool mail_starttls(const struct mail *mail, int fd)
{
    if (!read_until(fd, mail->greeting))
        return false;
    if (mail->hello != NULL && (!say(fd, mail->hello) || !read_until(fd, mail->hello_answer)))
        return false;
    return say(fd, mail->starttls) && read_until(fd, mail->starttls_answer);
}
