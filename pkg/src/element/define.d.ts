/** Registers `<checkout-preview>`; to import it twice does nothing. */
export {};
