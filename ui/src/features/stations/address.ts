// Where a station must point. The page knows its own host; the OCPP port is the
// server's default, and the words beside the address say so.
export const ocppAddress = (hostname: string, secure: boolean, identity = 'IDENTITY'): string =>
  `${secure ? 'wss' : 'ws'}://${hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname}:8887/ocpp/${identity}`;
