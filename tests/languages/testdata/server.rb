# A server with Ruby's openssl and a session cache of its own in the callbacks: port, certificate and key.
# TICKETS=off takes its tickets away.
require "openssl"
require "socket"

calls = Hash.new(0)
sessions = {}
at_exit { puts "new #{calls[:new]} get #{calls[:get]}" }
trap("TERM") { exit 0 }

pem = File.read(ARGV[1])
context = OpenSSL::SSL::SSLContext.new
context.cert = OpenSSL::X509::Certificate.new(pem)
context.key = OpenSSL::PKey.read(pem)
context.session_id_context = "ruby"
context.session_cache_mode =
  OpenSSL::SSL::SSLContext::SESSION_CACHE_SERVER | OpenSSL::SSL::SSLContext::SESSION_CACHE_NO_INTERNAL
context.options |= OpenSSL::SSL::OP_NO_TICKET if ENV["TICKETS"] == "off"
context.session_new_cb = lambda { |(_, session)| calls[:new] += 1; sessions[session.id] = session.to_der }
context.session_get_cb = lambda do |(_, id)|
  calls[:get] += 1
  sessions[id] && OpenSSL::SSL::Session.new(sessions[id])
end
listener = TCPServer.new("127.0.0.1", ARGV[0].to_i)
listener.listen(64)
loop do
  plain = listener.accept
  begin
    tls = OpenSSL::SSL::SSLSocket.new(plain, context)
    tls.accept
    tls.readpartial(4096)
    tls.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    tls.close
  rescue SystemCallError, IOError, OpenSSL::SSL::SSLError
    # a client that only looked whether somebody is there
  ensure
    plain.close
  end
end
