//! `bindgen MODULE.wasm FOLDER`: writes vrl.js, vrl.d.ts and vrl_bg.wasm into the folder.

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(module), Some(folder)) = (arguments.next(), arguments.next()) else {
        panic!("usage: bindgen MODULE.wasm FOLDER");
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .input_path(module)
        .web(true)
        .expect("the web target is known");
    bindgen
        .omit_default_module_path(true)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name("vrl");
    bindgen.generate(folder).expect("the module can be read");
}
