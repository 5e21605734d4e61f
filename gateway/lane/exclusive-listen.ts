// Listens on a port that no other process may share: a second server on the same port fails loudly
// instead of taking half of the connections. The library's types leave out both the option's value
// and this form of listen(), so both are looked up here and nowhere else. Lane's thread only.
import * as library from 'uWebSockets.js';
import { assert } from '../../core/assert.ts';

/** Calls back with the listening socket, or with undefined when the address cannot be had. */
export function listenExclusively(
  app: library.TemplatedApp,
  address: { readonly host: string; readonly port: number },
  done: (socket: library.us_listen_socket | undefined) => void,
): void {
  const exclusive: unknown = Reflect.get(library, 'LIBUS_LISTEN_EXCLUSIVE_PORT');
  assert(typeof exclusive === 'number', 'the library has an option for exclusive ports');
  const listened = (socket: library.us_listen_socket | false): void => {
    done(socket === false ? undefined : socket);
  };
  Reflect.apply(app.listen, app, [address.host, address.port, exclusive, listened]);
}
