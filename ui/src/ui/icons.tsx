import type { ReactNode } from 'react';

// Icons of one hand: 20 by 20, one line weight, drawn for this product.
const paths = {
  overview: <path d="M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z" />,
  chart: <path d="M3 3v14h14M7 13.5V10M11 13.5v-7M15 13.5v-5" />,
  stations: (
    <>
      <path d="M3.5 17V4.5A1.5 1.5 0 0 1 5 3h5a1.5 1.5 0 0 1 1.5 1.5V17M2 17h11" />
      <path d="M11.5 10h1.25A1.25 1.25 0 0 1 14 11.25v2.5a1.5 1.5 0 0 0 3 0V7.5L14.5 5" />
      <path d="M8 5.75 6 9h3l-2 3.25" />
    </>
  ),
  settings: (
    <>
      <path d="M3 6h7M14 6h3M3 14h3M10 14h7" />
      <circle cx="12" cy="6" r="2" />
      <circle cx="8" cy="14" r="2" />
    </>
  ),
  search: (
    <>
      <circle cx="9" cy="9" r="5" />
      <path d="m13 13 4 4" />
    </>
  ),
  sun: (
    <>
      <circle cx="10" cy="10" r="3.25" />
      <path d="M10 2v1.75M10 16.25V18M2 10h1.75M16.25 10H18M4.35 4.35l1.2 1.2M14.45 14.45l1.2 1.2M4.35 15.65l1.2-1.2M14.45 5.55l1.2-1.2" />
    </>
  ),
  moon: <path d="M16.5 11.5A6.75 6.75 0 0 1 8.5 3.5a6.75 6.75 0 1 0 8 8z" />,
  auto: (
    <>
      <circle cx="10" cy="10" r="6.5" />
      <path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" fill="currentColor" />
    </>
  ),
  globe: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="M3 10h14M10 3c2.4 2 3.25 4.4 3.25 7S12.4 15 10 17c-2.4-2-3.25-4.4-3.25-7S7.6 5 10 3z" />
    </>
  ),
  user: (
    <>
      <circle cx="10" cy="7" r="3.25" />
      <path d="M3.75 17c.6-3.3 3.1-5 6.25-5s5.65 1.7 6.25 5" />
    </>
  ),
  help: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="M7.9 7.9a2.15 2.15 0 1 1 3.2 1.9c-.75.4-1.1.85-1.1 1.7" />
      <circle cx="10" cy="13.9" r=".6" fill="currentColor" />
    </>
  ),
  left: <path d="m12 5-5 5 5 5" />,
  right: <path d="m8 5 5 5-5 5" />,
  down: <path d="m5 8 5 5 5-5" />,
  close: <path d="m5 5 10 10M15 5 5 15" />,
  check: <path d="m4 10.5 4 4 8-9" />,
  copy: (
    <>
      <path d="M7 7h9.5v9.5H7z" />
      <path d="M13 7V3.5H3.5V13H7" />
    </>
  ),
  key: (
    <>
      <circle cx="6.5" cy="13.5" r="3" />
      <path d="m8.75 11.25 7-7M13 7l2 2M15.5 4.5l2 2" />
    </>
  ),
  signout: <path d="M8 3.5H4v13h4M12.5 6.5 16 10l-3.5 3.5M16 10H8" />,
  in: <path d="M16 10H4M8.5 5.5 4 10l4.5 4.5" />,
  out: <path d="M4 10h12M11.5 5.5 16 10l-4.5 4.5" />,
  retry: <path d="M16 10a6 6 0 1 1-1.9-4.4M16 3v3.5h-3.5" />,
  warn: (
    <>
      <path d="M10 3 17.5 16h-15z" />
      <path d="M10 8v3.5" />
      <circle cx="10" cy="13.75" r=".5" fill="currentColor" />
    </>
  ),
  qr: <path d="M3 3h5v5H3zM12 3h5v5h-5zM3 12h5v5H3zM12 12h2v2h-2zM15 15h2v2h-2zM15 12h2M12 17h2" />,
  edit: <path d="m4 13.5 8.5-8.5 2.5 2.5-8.5 8.5L3.5 16.5zM10.8 6.7l2.5 2.5" />,
  plus: <path d="M10 4v12M4 10h12" />,
  clock: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="M10 6v4.25l2.75 1.75" />
    </>
  ),
  filter: <path d="M3 5h14M6 10h8M8.5 15h3" />,
  rail: (
    <>
      <path d="M3 4h14v12H3zM8 4v12" />
    </>
  ),
  play: <path d="M6 4.5v11l9-5.5z" />,
  pause: <path d="M6.5 5v10M13.5 5v10" />,
  camera: (
    <>
      <path d="M2.5 6h10v8h-10z" />
      <path d="m12.5 9 5-2.5v7l-5-2.5z" />
    </>
  ),
  door: <path d="M5 17.5V2.5h10v15M3 17.5h14M12 10.25v.5" />,
  shield: <path d="M10 2.5 16 4.8V10c0 3.6-2.4 6.2-6 7.5-3.6-1.3-6-3.9-6-7.5V4.8zM7.2 9.8l2 2 3.6-3.8" />,
  map: <path d="M2.5 5.5 7.5 3.5l5 2 5-2v11l-5 2-5-2-5 2zM7.5 3.5v11M12.5 5.5v11" />,
  site: (
    <>
      <path d="M10 17.5c-3.5-3.6-5.5-6.4-5.5-9a5.5 5.5 0 0 1 11 0c0 2.6-2 5.4-5.5 9z" />
      <circle cx="10" cy="8.5" r="2" />
    </>
  ),
  session: (
    <>
      <rect x="2.5" y="6" width="13" height="8" rx="1.5" />
      <path d="M17.5 8.75v2.5M9.5 7.25 7 10.25h3.5l-2 2.75" />
    </>
  ),
  event: (
    <>
      <path d="M7 5h10M7 10h10M7 15h10" />
      <path d="M3.25 5h.5M3.25 10h.5M3.25 15h.5" />
    </>
  ),
  headset: (
    <>
      <path d="M3.5 12v-2a6.5 6.5 0 0 1 13 0v2M16.5 14.5c0 1.4-1.6 2.5-4 2.5" />
      <rect x="3" y="11" width="3" height="4.5" rx="1" />
      <rect x="14" y="11" width="3" height="4.5" rx="1" />
    </>
  ),
  pulse: <path d="M2.5 10.5H6l2-6 3.5 11 2.5-7 1 2h2.5" />,
  bell: (
    <>
      <path d="M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13z" />
      <path d="M8.5 17.25h3" />
    </>
  ),
  siren: (
    <>
      <path d="M6 14v-3.5a4 4 0 0 1 8 0V14M4 14h12v2.5H4z" />
      <path d="M10 2v2M3.75 4.75l1.4 1.4M16.25 4.75l-1.4 1.4" />
    </>
  ),
  scan: (
    <>
      <path d="M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4" />
      <path d="M6.5 6.5h2.25v2.25H6.5zM11.25 6.5h2.25v2.25h-2.25zM6.5 11.25h2.25v2.25H6.5zM11.25 11.25h.75M13.5 13.5h-.75" />
    </>
  ),
  screen: (
    <>
      <rect x="2.5" y="3.5" width="15" height="10" rx="1" />
      <path d="M10 13.5v3M6.5 16.5h7" />
    </>
  ),
  link: (
    <>
      <path d="M8.5 11.5a3 3 0 0 0 4.25 0l2.5-2.5A3 3 0 0 0 11 4.75l-1 1" />
      <path d="M11.5 8.5a3 3 0 0 0-4.25 0L4.75 11A3 3 0 0 0 9 15.25l1-1" />
    </>
  ),
  undo: <path d="M4 8h8a4 4 0 0 1 0 8H8M4 8l3.5-3.5M4 8l3.5 3.5" />,
  download: <path d="M10 3v9.5M6 9l4 4 4-4M3.5 16.5h13" />,
  team: (
    <>
      <circle cx="7.5" cy="7" r="2.75" />
      <path d="M2.5 16c.5-2.8 2.5-4.25 5-4.25s4.5 1.45 5 4.25M13 4.5a2.75 2.75 0 0 1 0 5M14.5 12c1.7.5 2.7 1.9 3 4" />
    </>
  ),
  more: (
    <>
      <circle cx="4.5" cy="10" r="1" fill="currentColor" />
      <circle cx="10" cy="10" r="1" fill="currentColor" />
      <circle cx="15.5" cy="10" r="1" fill="currentColor" />
    </>
  ),
  trash: <path d="M3.5 5.5h13M8 5.5V3.5h4v2M5 5.5l.75 11h8.5l.75-11M8.5 8.5v5M11.5 8.5v5" />,
  upload: <path d="M10 13V3.5M6.5 7 10 3.5 13.5 7M3.5 12.5v4h13v-4" />,
  card: <path d="M2.5 5h15v10h-15zM2.5 8.5h15M5 12h4" />,
  list: <path d="M7 5h10M7 10h10M7 15h10M3 5h.5M3 10h.5M3 15h.5" />,
  flag: <path d="M5 17.5V3M5 3.75h9.5l-2.25 3.5 2.25 3.5H5" />,
  expand: <path d="M12 3h5v5M8 17H3v-5M17 3l-5.5 5.5M3 17l5.5-5.5" />,
  disk: (
    <>
      <ellipse cx="10" cy="5.5" rx="6.5" ry="2.5" />
      <path d="M3.5 5.5v9c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5v-9M3.5 10c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5" />
    </>
  ),
  wrench: (
    <path d="M12.5 3.2a4.2 4.2 0 0 0-4.6 5.6L3 13.7 6.3 17l4.9-4.9a4.2 4.2 0 0 0 5.6-4.6l-2.7 2.6-2.7-.9-.9-2.6z" />
  ),
  health: <path d="M2.5 10.5h3.5l2-5 3.5 9 2.5-6 1 2h2.5" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      style={{ flex: 'none', display: 'block' }}
    >
      {paths[name]}
    </svg>
  );
}
