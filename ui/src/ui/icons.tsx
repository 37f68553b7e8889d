import type { ReactNode } from 'react';

// Icons of one hand: 20 by 20, one line weight, drawn for this product.
const paths = {
  overview: <path d="M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z" />,
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
