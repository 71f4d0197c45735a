/** What is answered to a client that protected mode does not let in. */
export const DENIED =
  "-DENIED the proxy runs in protected mode, because no password is set: it lets in only clients of its own machine. To connect from others: 1) set 'password', and give it with AUTH or HELLO; or 2) set 'protected-mode' to false, where nobody else can reach the proxy.\r\n";

/** @param address of the client; undefined: a Unix socket. @returns whether it comes from this machine by loopback */
export function isLocalPeer(address: string | undefined): boolean {
  return address === undefined || address === '::1' || /^(?:::ffff:)?127\./.test(address);
}
