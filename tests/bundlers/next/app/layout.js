export const metadata = { title: 'App', referrer: 'no-referrer', icons: 'data:,' };

export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
