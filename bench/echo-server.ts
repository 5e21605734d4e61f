// A server that does nothing, in a process of its own: sends each frame back as it came. It shows
// what sockets and frames cost on this machine in this minute. Entry; tells its port by message.
import uws from 'uWebSockets.js';

// An empty greeting in the form of the protocol's, so that the load generator begins.
const GREETING = Uint8Array.of(0x93, 0x00, 0x00, 0x80);

process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
uws
  .App()
  .ws('/*', {
    compression: uws.DISABLED,
    maxPayloadLength: 16_777_216,
    open: (socket) => {
      socket.send(GREETING, true);
    },
    message: (socket, message) => {
      socket.send(message, true);
    },
  })
  .listen('127.0.0.1', 0, (listening) => {
    if (listening === false) throw new Error('Cannot listen because no port is free');
    process.send?.(uws.us_socket_local_port(listening));
  });
