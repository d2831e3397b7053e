<?php
// A server with PHP's stream_socket_server, which makes a context of OpenSSL for each connection: port, certificate and key.
pcntl_async_signals(true);
pcntl_signal(SIGTERM, fn () => exit(0));
$tickets = getenv("TICKETS") === "off" ? ["no_ticket" => true] : [];
$context = stream_context_create(["ssl" => ["local_cert" => $argv[2], "verify_peer" => false] + $tickets]);
$listener = stream_socket_server("tcp://127.0.0.1:$argv[1]", $code, $text, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context);
while (true) {
    $connection = @stream_socket_accept($listener, -1);
    if (!$connection) {
        continue;
    }
    if (@stream_socket_enable_crypto($connection, true, STREAM_CRYPTO_METHOD_TLSv1_2_SERVER | STREAM_CRYPTO_METHOD_TLSv1_3_SERVER)) {
        fread($connection, 4096);
        fwrite($connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    fclose($connection);
}
