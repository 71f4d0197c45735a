// The build puts the package's module beside this file, so that browsers load it from the proxy itself.
export { default } from 'uplot';
